#include "probe/mounting.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * A new root with only our mounts in mountinfo: runc takes the first entry of a cgroup mount, even
 * a covered one, and then misses /sys/fs/cgroup/kubepods.
 */
int probe_pivot_root(struct attempt *attempt)
{
	int error = mounting_tmpfs(attempt);

	if (error != 0)
		return error;
	if (chdir(attempt->scratch) != 0)
		return fail(&attempt->failure, errno, "enter the new root");
	if (syscall(SYS_pivot_root, ".", ".") != 0)
		return fail(&attempt->failure, errno, "pivot_root");
	if (umount2(".", MNT_DETACH) != 0)
		return fail(&attempt->failure, errno, "detach the old root");
	return 0;
}
