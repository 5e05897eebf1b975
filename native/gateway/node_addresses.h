/*
 * Addresses of UDP Services, added to the node's link on the bridge: datagrams to them are then the
 * node's own, and a socket bound to one answers with it. No NAT is involved, which is why it works
 * from pods and from the node alike (gVisor loses the original destination of a redirected datagram,
 * and does not translate the answer to one the node itself sent).
 */
#ifndef GATEWAY_NODE_ADDRESSES_H
#define GATEWAY_NODE_ADDRESSES_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/map.h"
#include "lib/failure.h"

struct node_addresses {
	int netlink;
	unsigned link;     /**< interface index */
	struct map counts; /**< address -> how often it was added */
};

/**
 * Finds the link by its address (host byte order) and removes what an earlier gateway left on it.
 * Returns 0 or -errno with the failure noted.
 */
int node_addresses_open(struct node_addresses *addresses, uint32_t bridge_address,
                        struct failure *failure);

/** Takes every address away again. */
void node_addresses_close(struct node_addresses *addresses);

/** Makes the address (host byte order) one of the node's; counted. Returns 0 or -errno. */
int node_addresses_add(struct node_addresses *addresses, uint32_t address);
void node_addresses_remove(struct node_addresses *addresses, uint32_t address);

/** Whether the address was added. */
bool node_addresses_has(const struct node_addresses *addresses, uint32_t address);

#endif
