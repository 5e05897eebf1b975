#include "probe/mounting.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>

/*
 * Whether the runner may mount by itself. Without it everything that k3s mounts needs a user
 * namespace: "mount: Operation not permitted".
 */
int probe_mount(struct attempt *attempt)
{
	if (unshare(CLONE_NEWNS) != 0)
		return fail(&attempt->failure, errno, "unshare the mount namespace");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return fail(&attempt->failure, errno, "make the mounts private");
	return mounting_tmpfs(attempt);
}
