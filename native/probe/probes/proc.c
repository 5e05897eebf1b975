#include "probe/mounting.h"

/* A new pid namespace needs a /proc of its own: without it the kubelet and runc see the runner's.
 */
int probe_proc(struct attempt *attempt)
{
	return mounting_mount(attempt, "proc", attempt->scratch, NULL);
}
