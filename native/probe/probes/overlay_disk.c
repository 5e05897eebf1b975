#include "probe/mounting.h"

#include <limits.h>

/*
 * An overlay with its upper layer on the runner's disk: with it images need no memory. In gVisor
 * it is refused ("wrong fs type", EINVAL) on the root file system.
 */
int probe_overlay_disk(struct attempt *attempt)
{
	char root[PATH_MAX];
	int error;

	mounting_path(attempt, "root", root);
	error = mounting_directory(attempt, root);
	return error != 0 ? error : mounting_overlay(attempt, "/etc", root);
}
