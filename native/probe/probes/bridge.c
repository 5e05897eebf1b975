#include "probe/probe.h"

#include "lib/cleanup.h"
#include "lib/link.h"
#include "lib/netlink.h"

/* The pods' switch and the node's own address on it: without it there is no pod network. */
int probe_bridge(struct attempt *attempt)
{
	cleanup_fd int fd = netlink_open();
	struct cidr cidr;
	struct link link;
	int error = fd < 0 ? fd : link_add_bridge(fd, "probe0");

	if (error == 0)
		error = link_find(fd, "probe0", &link);
	if (error == 0)
		error = cidr_parse("10.42.0.1/24", &cidr);
	if (error == 0)
		error = link_add_address(fd, link.index, &cidr);
	if (error == 0)
		error = link_set_up(fd, link.index);
	return error != 0 ? fail(&attempt->failure, -error, "make a bridge with an address") : 0;
}
