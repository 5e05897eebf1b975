#include "probe/probe.h"

#include <errno.h>
#include <sys/mount.h>

/*
 * Shared propagation for the whole tree. Without it pods that ask for it do not start: "path /sys
 * is mounted on /sys but it is not a shared or slave mount".
 */
int probe_rshared(struct attempt *attempt)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) != 0)
		return fail(&attempt->failure, errno, "make / recursively shared");
	return 0;
}
