#include "probe/mounting.h"

/*
 * runc 1.5 hides a directory from a container under a tmpfs of one block and one inode; "invalid
 * argument" where gVisor does not know these options.
 */
int probe_tmpfs_limits(struct attempt *attempt)
{
	return mounting_mount(attempt, "tmpfs", attempt->scratch, "nr_blocks=1,nr_inodes=1");
}
