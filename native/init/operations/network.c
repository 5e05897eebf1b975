#include "init/operations/operation.h"

#include "lib/cleanup.h"
#include "lib/link.h"
#include "lib/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

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

static int make_bridge(int fd, const char *name, const struct cidr *cidr)
{
	struct link link;
	int error = link_add_bridge(fd, name);

	if (error == 0)
		error = link_find(fd, name, &link);
	if (error == 0)
		error = link_set_mtu(fd, link.index, BRIDGE_MTU);
	if (error == 0)
		error = link_add_address(fd, link.index, cidr);
	return error != 0 ? error : link_set_up(fd, link.index);
}

int operation_bridge(struct supervisor *supervisor, char **arguments, struct failure *failure)
{
	cleanup_fd int fd = -1;
	struct cidr cidr;
	int error;

	(void)supervisor;
	if (cidr_parse(arguments[1], &cidr) != 0)
		return fail_input(failure, "Bad address \"%s\": expected one such as 10.42.0.1/24",
		                  arguments[1]);
	fd = netlink_open();
	error = fd < 0 ? fd : make_bridge(fd, arguments[0], &cidr);
	return error != 0
	           ? fail(failure, -error, "make bridge %s with %s", arguments[0], arguments[1])
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
