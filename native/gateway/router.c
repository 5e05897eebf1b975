#include "gateway/router.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/die.h"
#include "lib/netlink.h"

#define PORT "router0"
#define LINK "eth0"
#define PREFIX 24

/* Of the link, and of IPv4 only: ETH_P_ALL would show what is sent there as well. */
int router_watch(unsigned link)
{
	const struct sockaddr_ll address = {.sll_family = AF_PACKET,
	                                    .sll_protocol = htons(ETHERTYPE_IP),
	                                    .sll_ifindex = (int)link};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		int status = -errno;
		close(fd);
		return status;
	}
	return fd < 0 ? -errno : fd;
}

/* In the node's network namespace. */
static int connect_port(const struct router *router, const char *bridge_name)
{
	cleanup_fd int netlink = netlink_open();
	struct link bridge, port;
	int status = netlink < 0 ? netlink : link_find(netlink, bridge_name, &bridge);

	if (status < 0)
		return status;
	/* That of a gateway which was killed goes with its namespace, but not at once. */
	status = link_delete(netlink, PORT);
	if (status < 0 && status != -ENODEV)
		return status;
	const struct veth_end here = {.name = PORT, .mtu = bridge.mtu};
	const struct veth_end there = {.name = LINK, .mtu = bridge.mtu};
	status = link_add_veth(netlink, &here, bridge.index, &there, router->netns);
	if (status == 0)
		status = link_find(netlink, PORT, &port);
	return status < 0 ? status : link_set_up(netlink, port.index);
}

/* In the router's. */
static int open_sockets(struct router *router, uint32_t address)
{
	const struct cidr cidr = {.address.s_addr = htonl(address), .prefix = PREFIX};
	cleanup_fd int netlink = netlink_open();
	struct link link;
	int status = netlink < 0 ? netlink : link_find(netlink, LINK, &link);

	if (status == 0)
		status = link_set_up(netlink, link.index);
	if (status == 0)
		status = link_add_address(netlink, link.index, &cidr);
	if (status < 0)
		return status;
	router->frames = router_watch((unsigned)link.index);
	if (router->frames < 0)
		return router->frames;
	router->packets = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_RAW);
	return router->packets < 0 ? -errno : 0;
}

static int note_node(struct router *router, unsigned node_link)
{
	cleanup_fd int netlink = netlink_open();
	char name[IF_NAMESIZE];
	struct link link;

	if (netlink < 0)
		return netlink;
	if (if_indextoname(node_link, name) == NULL)
		return -errno;
	int status = link_find(netlink, name, &link);
	if (status == 0)
		memcpy(router->node_address, link.address, LINK_ADDRESS_SIZE);
	return status;
}

static void enter(int netns)
{
	if (setns(netns, CLONE_NEWNET) != 0)
		die_errno("change between the node's network namespace and the router's");
}

int router_open(struct router *router, const char *bridge, uint32_t address, unsigned node_link,
                int home, struct failure *failure)
{
	*router = (struct router){.netns = -1, .frames = -1, .packets = -1};
	if (unshare(CLONE_NEWNET) != 0)
		return fail(failure, errno, "make a network namespace for the node's router");
	router->netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int status = router->netns < 0 ? -errno : 0;
	enter(home);
	if (status == 0)
		status = note_node(router, node_link);
	if (status == 0)
		status = connect_port(router, bridge);
	if (status == 0) {
		enter(router->netns);
		status = open_sockets(router, address);
		enter(home);
	}
	return status < 0 ? fail(failure, -status, "connect the node's router to %s", bridge) : 0;
}

void router_close(struct router *router)
{
	if (router->netns >= 0)
		close(router->netns);
}
