#include "probe/probe.h"

#include "lib/cleanup.h"
#include "lib/iptables.h"
#include "lib/link.h"
#include "lib/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENT "10.42.0.2/24"
#define SERVER "10.42.0.3/24"
#define SERVER_ADDRESS 0x0a2a0003
/* Nobody has it: only the rule leads anywhere. */
#define SERVICE_ADDRESS 0x0a2b000a
#define NEIGHBOUR 0x0a2a00fe
#define PORT 53

/* Two hops inside one kernel take microseconds. Where it is "no" this is waited for in full. */
#define PATIENCE_MS 250

static int open_namespace(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* In the pod's namespace: its end of the pair, as the CNI plugin sets it up. */
static int set_up_pod(const char *address)
{
	cleanup_fd int fd = netlink_open();
	struct cidr cidr;
	struct link link;
	int error = fd < 0 ? fd : link_find(fd, "eth0", &link);

	if (error == 0)
		error = cidr_parse(address, &cidr);
	if (error == 0)
		error = link_add_address(fd, link.index, &cidr);
	if (error == 0)
		error = link_set_up(fd, link.index);
	return error != 0 ? error
	                  : link_add_default_route(fd, link.index,
	                                           (struct in_addr){htonl(NEIGHBOUR)});
}

/* A pod on the bridge. Leaves the caller in its namespace; returns 0 or -errno. */
static int add_pod(int node, int netlink, int bridge, const char *port, const char *address)
{
	const struct veth_end end = {.name = port}, peer = {.name = "eth0"};
	struct link link;

	if (setns(node, CLONE_NEWNET) != 0 || unshare(CLONE_NEWNET) != 0)
		return -errno;
	cleanup_fd int pod = open_namespace();
	int error = pod < 0 ? pod : link_add_veth(netlink, &end, bridge, &peer, pod);
	if (error == 0)
		error = link_find(netlink, port, &link);
	if (error == 0)
		error = link_set_up(netlink, link.index);
	return error != 0 ? error : set_up_pod(address);
}

static int open_server(void)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
	                                    .sin_addr.s_addr = htonl(SERVER_ADDRESS),
	                                    .sin_port = htons(PORT)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (const void *)&address, sizeof address) == 0)
		return fd < 0 ? -errno : fd;
	int error = -errno;
	close(fd);
	return error;
}

static int add_rule(struct failure *failure)
{
	const struct iptables_rule rule = {
	    .hook = IPTABLES_OUTPUT,
	    .protocol = IPPROTO_UDP,
	    .destination = {.address = SERVICE_ADDRESS, .mask = UINT32_MAX},
	    .first_port = PORT,
	    .last_port = PORT,
	    .target = IPTABLES_DNAT,
	    .dnat_address = SERVER_ADDRESS,
	    .dnat_port = PORT,
	};
	const struct iptables_table table = {.name = "nat", .rules = &rule, .rule_count = 1};

	return iptables_replace(&table, failure);
}

static int send_datagram(int server, struct failure *failure)
{
	const struct sockaddr_in service = {.sin_family = AF_INET,
	                                    .sin_addr.s_addr = htonl(SERVICE_ADDRESS),
	                                    .sin_port = htons(PORT)};
	struct pollfd arrived = {.fd = server, .events = POLLIN};
	cleanup_fd int client = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (client < 0)
		return fail(failure, errno, "open a UDP socket");
	if (sendto(client, "", 1, 0, (const void *)&service, sizeof service) != 1)
		return fail(failure, errno, "send a datagram to an address translated in OUTPUT");
	if (poll(&arrived, 1, PATIENCE_MS) == 1)
		return 0;
	return fail(failure, ETIMEDOUT, "reach another pod by an address translated in OUTPUT");
}

/*
 * A pod's way to a Service with nobody in between: DNAT in its own OUTPUT, to another pod. gVisor
 * before the summer of 2026 does not route again after it, and loses the packet without a word.
 */
int probe_output_dnat(struct attempt *attempt)
{
	/* Opened here: the socket stays in this namespace. */
	cleanup_fd int netlink = netlink_open(), node = open_namespace(), server = -1;
	struct link bridge;
	int error = netlink < 0 ? netlink : node < 0 ? node : link_add_bridge(netlink, "probe0");

	if (error == 0)
		error = link_find(netlink, "probe0", &bridge);
	if (error == 0)
		error = link_set_up(netlink, bridge.index);
	if (error == 0)
		error = add_pod(node, netlink, bridge.index, "probe1", SERVER);
	if (error == 0) {
		server = open_server();
		error = server < 0 ? server : 0;
	}
	if (error == 0)
		error = add_pod(node, netlink, bridge.index, "probe2", CLIENT);
	if (error != 0)
		return fail(&attempt->failure, -error, "put two pods on a bridge");
	error = add_rule(&attempt->failure);
	return error != 0 ? error : send_datagram(server, &attempt->failure);
}
