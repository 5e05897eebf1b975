#include "gateway/node_addresses.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/log.h"
#include "lib/cidr.h"
#include "lib/link.h"
#include "lib/netlink.h"

/* How the gateway's addresses are told from others. */
#define PREFIX 32

struct counted {
	unsigned count;
};

struct search {
	struct node_addresses *addresses;
	uint32_t bridge_address; /* network byte order, as the next */
	struct map others;       /* addresses of PREFIX: address -> interface index + 1 */
};

static int visit(struct nlmsghdr *header, void *data)
{
	struct search *search = data;
	const struct ifaddrmsg *body = NLMSG_DATA(header);
	uint32_t address;

	if (header->nlmsg_type != RTM_NEWADDR || body->ifa_family != AF_INET)
		return 0;
	for (struct rtattr *attribute = NULL;
	     (attribute = netlink_attribute(header, sizeof(*body), attribute)) != NULL;) {
		if (attribute->rta_type != IFA_LOCAL || RTA_PAYLOAD(attribute) != sizeof(address))
			continue;
		memcpy(&address, RTA_DATA(attribute), sizeof(address));
		if (address == search->bridge_address)
			search->addresses->link = body->ifa_index;
		else if (body->ifa_prefixlen == PREFIX)
			return map_set(&search->others, address,
			               (void *)((uintptr_t)body->ifa_index + 1));
	}
	return 0;
}

static int find(struct search *search)
{
	const struct ifaddrmsg body = {.ifa_family = AF_INET};
	struct netlink_message message;

	netlink_begin(&message, RTM_GETADDR, 0, &body, sizeof(body));
	int status = netlink_dump(search->addresses->netlink, &message, visit, search);
	if (status == 0 && search->addresses->link == 0)
		return -EADDRNOTAVAIL;
	return status;
}

/* `address` in network byte order. */
static int remove_address(struct node_addresses *addresses, uint32_t address)
{
	const struct ifaddrmsg body = {
	    .ifa_family = AF_INET, .ifa_prefixlen = PREFIX, .ifa_index = addresses->link};
	struct netlink_message message;

	netlink_begin(&message, RTM_DELADDR, 0, &body, sizeof(body));
	netlink_put(&message, IFA_LOCAL, &address, sizeof(address));
	netlink_put(&message, IFA_ADDRESS, &address, sizeof(address));
	return netlink_request(addresses->netlink, &message);
}

static void remove_left_behind(const struct search *search)
{
	for (size_t i = 0; i < search->others.capacity; i++) {
		const struct map_slot *slot = &search->others.slots[i];
		if ((uintptr_t)slot->value == (uintptr_t)search->addresses->link + 1)
			remove_address(search->addresses, (uint32_t)slot->key);
	}
}

int node_addresses_open(struct node_addresses *addresses, uint32_t bridge_address,
                        struct failure *failure)
{
	struct search search = {.addresses = addresses, .bridge_address = htonl(bridge_address)};
	char text[INET_ADDRSTRLEN];

	*addresses = (struct node_addresses){.netlink = netlink_open()};
	if (addresses->netlink < 0)
		return fail(failure, -addresses->netlink, "open an rtnetlink socket");
	int status = find(&search);
	if (status == 0)
		remove_left_behind(&search);
	map_free(&search.others);
	if (status < 0)
		return fail(failure, -status, "find the link with the address %s",
		            inet_ntop(AF_INET, &search.bridge_address, text, sizeof(text)));
	return 0;
}

void node_addresses_close(struct node_addresses *addresses)
{
	for (size_t i = 0; i < addresses->counts.capacity; i++) {
		if (addresses->counts.slots[i].value == NULL)
			continue;
		remove_address(addresses, htonl((uint32_t)addresses->counts.slots[i].key));
		free(addresses->counts.slots[i].value);
	}
	map_free(&addresses->counts);
	close(addresses->netlink);
}

int node_addresses_add(struct node_addresses *addresses, uint32_t address)
{
	const struct cidr cidr = {.address.s_addr = htonl(address), .prefix = PREFIX};
	struct counted *counted = map_get(&addresses->counts, address);

	if (counted != NULL) {
		counted->count++;
		return 0;
	}
	int status = link_add_address(addresses->netlink, (int)addresses->link, &cidr);
	/* What is there already serves as well. */
	if (status < 0 && status != -EEXIST)
		return status;
	counted = calloc(1, sizeof(*counted));
	if (counted == NULL || map_set(&addresses->counts, address, counted) < 0) {
		free(counted);
		remove_address(addresses, cidr.address.s_addr);
		return -ENOMEM;
	}
	counted->count = 1;
	return 0;
}

bool node_addresses_has(const struct node_addresses *addresses, uint32_t address)
{
	return map_get(&addresses->counts, address) != NULL;
}

void node_addresses_remove(struct node_addresses *addresses, uint32_t address)
{
	struct counted *counted = map_get(&addresses->counts, address);

	if (--counted->count > 0)
		return;
	int status = remove_address(addresses, htonl(address));
	if (status < 0)
		log_failure(-status, "remove a Service's address from the node");
	free(map_remove(&addresses->counts, address));
}
