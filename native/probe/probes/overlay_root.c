#include "probe/mounting.h"

#include <limits.h>

/*
 * A copy-on-write view of the runner's files, its upper layer in memory: without it what k3s
 * writes to /etc, /opt and /var stays behind.
 */
int probe_overlay_root(struct attempt *attempt)
{
	char root[PATH_MAX];
	int error = mounting_tmpfs(attempt);

	mounting_path(attempt, "root", root);
	if (error == 0)
		error = mounting_directory(attempt, root);
	return error != 0 ? error : mounting_overlay(attempt, "/", root);
}
