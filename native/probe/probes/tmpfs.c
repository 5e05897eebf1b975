#include "probe/mounting.h"

/*
 * tmpfs holds what k3s writes, and the upper layers of overlays: on gVisor's root file system
 * they are "wrong fs type", and containerd's overlayfs snapshotter with them.
 */
int probe_tmpfs(struct attempt *attempt)
{
	return mounting_tmpfs(attempt);
}
