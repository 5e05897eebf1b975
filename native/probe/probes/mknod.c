#include "probe/mounting.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* Device nodes: runc makes a container's /dev with them, or binds the host's where it may not. */
int probe_mknod(struct attempt *attempt)
{
	char path[PATH_MAX];
	int error = mounting_tmpfs(attempt);

	if (error != 0)
		return error;
	mounting_path(attempt, "null", path);
	if (mknod(path, S_IFCHR | 0666, makedev(1, 3)) != 0)
		return fail(&attempt->failure, errno, "make a device node");
	return 0;
}
