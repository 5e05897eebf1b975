#include "gateway/node_addresses.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>

#include "lib/link.h"
#include "lib/netlink.h"
#include "lib/test/tap.h"

/* As many as fill several datagrams of a dump. */
#define MANY 1000

static const struct in_addr bridge_address = {.s_addr = 0x01002a0a}; /* 10.42.0.1 */

static int add(int fd, int link, uint32_t address, unsigned char prefix)
{
	const struct cidr cidr = {.address.s_addr = htonl(address), .prefix = prefix};

	return link_add_address(fd, link, &cidr);
}

static bool has(int fd, int link, uint32_t address)
{
	const struct cidr cidr = {.address.s_addr = htonl(address), .prefix = 32};

	return link_has_address(fd, link, &cidr) == 0;
}

int main(void)
{
	struct node_addresses addresses;
	struct failure failure;
	struct link lo, bridge;
	int fd, failed = 0;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
		perror("unshare");
		return 1;
	}
	fd = netlink_open();
	check_number(link_find(fd, "lo", &lo), 0, "finds lo");
	check_number(link_find(fd, "none", &bridge), -ENODEV, "finds no link that is not there");
	check_number(link_add_bridge(fd, "cni0"), 0, "makes a bridge");
	check_number(link_find(fd, "cni0", &bridge), 0, "finds it");
	check_text(bridge.name, "cni0", "under its name");
	for (uint32_t i = 0; i < MANY; i++)
		failed |= add(fd, lo.index, 0x0a630000 + i, 32);
	failed |= add(fd, bridge.index, ntohl(bridge_address.s_addr), 24);
	failed |= add(fd, bridge.index, 0x0a2b0005, 32);
	check_number(failed, 0, "adds addresses");

	check_number(node_addresses_open(&addresses, ntohl(bridge_address.s_addr), &failure), 0,
	             "opens");
	check(!has(fd, bridge.index, 0x0a2b0005), "removes what an earlier gateway left");
	check(has(fd, lo.index, 0x0a630000 + MANY - 1), "leaves other links' addresses alone");
	check_number(node_addresses_add(&addresses, 0x0a2b0006), 0, "adds");
	check_number(node_addresses_add(&addresses, 0x0a2b0006), 0, "adds again");
	node_addresses_remove(&addresses, 0x0a2b0006);
	check(has(fd, bridge.index, 0x0a2b0006), "keeps what was added twice");
	node_addresses_remove(&addresses, 0x0a2b0006);
	check(!has(fd, bridge.index, 0x0a2b0006), "removes it with the last");

	check_number(add(fd, bridge.index, 0x0a2b0007, 32), 0, "somebody else adds one");
	check_number(node_addresses_add(&addresses, 0x0a2b0007), 0, "takes what is there already");
	check(node_addresses_has(&addresses, 0x0a2b0007), "as one of its own");
	node_addresses_close(&addresses);
	check(!has(fd, bridge.index, 0x0a2b0007), "closes without a trace");
	return tap_done();
}
