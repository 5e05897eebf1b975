#include "probe/mounting.h"

/*
 * An overlay on /proc/sys: what the kernel has stays live, what it lacks is added. The same
 * symptom as bind-proc-sys, with nothing hidden.
 */
int probe_overlay_proc_sys(struct attempt *attempt)
{
	int error = mounting_tmpfs(attempt);

	return error != 0 ? error : mounting_overlay(attempt, "/proc/sys", "/proc/sys");
}
