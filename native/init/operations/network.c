#include "init/operations/operation.h"

#include "lib/cleanup.h"
#include "lib/link.h"
#include "lib/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int operation_link_up(struct supervisor *supervisor, char **arguments, struct failure *failure)
{
	const char *name = arguments[0];
	cleanup_fd int fd = netlink_open();
	struct link link;
	int error = fd < 0 ? fd : link_find(fd, name, &link);

	(void)supervisor;
	if (error == 0)
		error = link_set_up(fd, link.index);
	return error != 0 ? fail(failure, -error, "bring up %s", name) : 0;
}

/*
 * Packets of the pods' bridge never reach a wire, so nothing bounds them but IP itself; in gVisor,
 * which handles each packet on its own, large ones carry six to ten times as much per second.
 */
#define BRIDGE_MTU 65500

/* Writes to a file that only Linux has. */
static int set_on_linux(const char *path, const char *value)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

/*
 * The bridge is for its ports only. On Linux it would answer ARP for the addresses of the node's other
 * links, and, with br_netfilter, show iptables as its own what only passes it. gVisor does neither.
 */
static int make_mute(const char *name)
{
	char path[sizeof "/proc/sys/net/ipv4/conf//arp_ignore" + IF_NAMESIZE];
	int error;

	snprintf(path, sizeof path, "/proc/sys/net/ipv4/conf/%.*s/arp_ignore", IF_NAMESIZE, name);
	error = set_on_linux(path, "1");
	return error != 0 ? error
	                  : set_on_linux("/proc/sys/net/bridge/bridge-nf-call-iptables", "0");
}

static int make_bridge(int fd, const char *name)
{
	struct link link;
	int error = link_add_bridge(fd, name);

	if (error == 0)
		error = make_mute(name);
	if (error == 0)
		error = link_find(fd, name, &link);
	if (error == 0)
		error = link_set_mtu(fd, link.index, BRIDGE_MTU);
	return error != 0 ? error : link_set_up(fd, link.index);
}

/* Adds the address, if there is one, and brings the link up. */
static int configure(int fd, const char *name, const struct cidr *cidr)
{
	struct link link;
	int error = link_find(fd, name, &link);

	if (error == 0 && cidr != NULL)
		error = link_add_address(fd, link.index, cidr);
	return error != 0 ? error : link_set_up(fd, link.index);
}

static int make_port(int fd, const char *bridge_name, const char *name, const struct cidr *cidr)
{
	char port_name[IF_NAMESIZE];
	struct link bridge;
	int error = link_find(fd, bridge_name, &bridge);

	if (error != 0)
		return error;
	if (snprintf(port_name, sizeof port_name, "%s-port", name) >= (int)sizeof port_name)
		return -ENAMETOOLONG;
	const struct veth_end port = {.name = port_name, .mtu = bridge.mtu};
	const struct veth_end peer = {.name = name, .mtu = bridge.mtu};
	error = link_add_veth(fd, &port, bridge.index, &peer, -1);
	if (error == 0)
		error = configure(fd, port_name, NULL);
	return error != 0 ? error : configure(fd, name, cidr);
}

int operation_bridge(struct supervisor *supervisor, char **arguments, struct failure *failure)
{
	cleanup_fd int fd = netlink_open();
	int error = fd < 0 ? fd : make_bridge(fd, arguments[0]);

	(void)supervisor;
	return error != 0 ? fail(failure, -error, "make bridge %s", arguments[0]) : 0;
}

int operation_port(struct supervisor *supervisor, char **arguments, struct failure *failure)
{
	cleanup_fd int fd = -1;
	struct cidr cidr;
	int error;

	(void)supervisor;
	if (cidr_parse(arguments[2], &cidr) != 0)
		return fail_input(failure, "Bad address \"%s\": expected one such as 10.42.0.1/24",
		                  arguments[2]);
	fd = netlink_open();
	error = fd < 0 ? fd : make_port(fd, arguments[0], arguments[1], &cidr);
	return error != 0 ? fail(failure, -error, "make %s with %s, on bridge %s", arguments[1],
	                         arguments[2], arguments[0])
	                  : 0;
}

static int make_distant_port(char **arguments, const struct cidr *cidr)
{
	cleanup_fd int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	cleanup_fd int there = netlink_open_at(arguments[0]), here = netlink_open();
	struct link bridge;
	int error;

	if (own < 0)
		return -errno;
	if (there < 0 || here < 0)
		return there < 0 ? there : here;
	error = link_find(there, arguments[1], &bridge);
	if (error != 0)
		return error;
	/* One that a predecessor left, whose network namespace somebody still holds. */
	error = link_delete(there, arguments[2]);
	if (error != 0 && error != -ENODEV)
		return error;
	const struct veth_end port = {.name = arguments[2], .mtu = bridge.mtu};
	/* As pods have: by it the gateway knows that nobody else has written the address. */
	unsigned char mac[6] = {0x0a, 0x58};
	memcpy(mac + 2, &cidr->address, sizeof cidr->address);
	const struct veth_end peer = {.name = arguments[3], .address = mac, .mtu = bridge.mtu};
	error = link_add_veth(there, &port, bridge.index, &peer, own);
	if (error == 0)
		error = configure(there, arguments[2], NULL);
	return error != 0 ? error : configure(here, arguments[3], cidr);
}

int operation_distant_port(struct supervisor *supervisor, char **arguments, struct failure *failure)
{
	struct cidr cidr;
	int error;

	(void)supervisor;
	if (cidr_parse(arguments[4], &cidr) != 0)
		return fail_input(failure, "Bad address \"%s\": expected one such as 10.42.1.1/16",
		                  arguments[4]);
	error = make_distant_port(arguments, &cidr);
	return error != 0 ? fail(failure, -error, "make %s with %s, on bridge %s of %s",
	                         arguments[3], arguments[4], arguments[1], arguments[0])
	                  : 0;
}

int operation_default_route(struct supervisor *supervisor, char **arguments,
                            struct failure *failure)
{
	const char *device = arguments[1];
	cleanup_fd int fd = -1;
	struct in_addr gateway;
	struct link link;
	int error;

	(void)supervisor;
	if (inet_pton(AF_INET, arguments[0], &gateway) != 1)
		return fail_input(failure, "Bad gateway \"%s\": expected an IPv4 address",
		                  arguments[0]);
	fd = netlink_open();
	error = fd < 0 ? fd : link_find(fd, device, &link);
	if (error == 0)
		error = link_add_default_route(fd, link.index, gateway);
	return error != 0
	           ? fail(failure, -error, "add a default route via %s on %s", arguments[0], device)
	           : 0;
}
