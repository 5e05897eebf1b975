#include "probe/mounting.h"

#include <errno.h>
#include <sys/mount.h>

/*
 * Files in the place of /proc/sys/vm: the kubelet ends with "open /proc/sys/vm/panic_on_oom: no
 * such file or directory" where the kernel has none.
 */
int probe_bind_proc_sys(struct attempt *attempt)
{
	int error = mounting_tmpfs(attempt);

	if (error != 0)
		return error;
	if (mount(attempt->scratch, "/proc/sys/vm", NULL, MS_BIND, NULL) != 0)
		return fail(&attempt->failure, errno, "bind a directory on /proc/sys/vm");
	return 0;
}
