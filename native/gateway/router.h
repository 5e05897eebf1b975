/*
 * The node's default router: a network namespace of the gateway's with a port on the bridge, in which
 * nothing runs. What the node sends to the outside goes there, and is seen; nothing forwards it.
 */
#ifndef GATEWAY_ROUTER_H
#define GATEWAY_ROUTER_H

#include <stdint.h>

#include "lib/failure.h"
#include "lib/link.h"

struct router {
	int netns;                                   /**< held, so that it stays */
	int frames;                                  /**< a packet socket: what comes for the router */
	int packets;                                 /**< a raw socket that sends whole packets */
	unsigned char node_address[LINK_ADDRESS_SIZE]; /**< of the node's link */
};

/**
 * Makes it a neighbour of the address (host byte order) on the bridge; `node_link` is the index of the
 * node's own port there, `home` the node's network namespace. Returns 0, or -errno with the failure
 * noted.
 */
int router_open(struct router *router, const char *bridge, uint32_t address, unsigned node_link,
                int home, struct failure *failure);

/** The namespace, and its port with it; the sockets are the caller's. */
void router_close(struct router *router);

/** A packet socket on a link of the network namespace we are in, or -errno. */
int router_watch(unsigned link);

#endif
