#include "probe/probe.h"

#include "lib/cleanup.h"
#include "lib/link.h"
#include "lib/netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>

static int open_namespace(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* A veth pair from the bridge into a pod's network namespace: a pod's only way out. */
int probe_veth(struct attempt *attempt)
{
	const struct veth_end port = {.name = "probe1"}, peer = {.name = "eth0"};
	/* Opened here: the socket stays in this namespace. */
	cleanup_fd int fd = netlink_open(), node = open_namespace(), pod = -1;
	struct link bridge;
	int error = fd < 0 ? fd : node;

	if (error < 0 || unshare(CLONE_NEWNET) != 0)
		return fail(&attempt->failure, error < 0 ? -error : errno,
		            "unshare a pod's network namespace");
	pod = open_namespace();
	if (setns(node, CLONE_NEWNET) != 0)
		return fail(&attempt->failure, errno, "return to the node's network namespace");
	error = link_add_bridge(fd, "probe0");
	if (error == 0)
		error = link_find(fd, "probe0", &bridge);
	if (error == 0)
		error = link_add_veth(fd, &port, bridge.index, &peer, pod);
	return error != 0 ? fail(&attempt->failure, -error, "make a veth pair into a namespace")
	                  : 0;
}
