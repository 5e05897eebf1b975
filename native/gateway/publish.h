/*
 * Ports of the runner that lead to fixed ports of the node: the API server's above all. And ports of
 * the node that lead to the runner's: those of a registry on the runner's own loopback.
 */
#ifndef GATEWAY_PUBLISH_H
#define GATEWAY_PUBLISH_H

#include "gateway/gateway.h"
#include "gateway/tcp_relay.h"

struct published_ports {
	struct tcp_listener listeners[PUBLISHED_MAX];
	struct frontend *frontends[PUBLISHED_MAX];
	size_t count;
};

/** Listens on all of them. Returns 0, or -errno with the failure noted. */
int publish_open(struct gateway *gateway, struct published_ports *ports, struct failure *failure);
void publish_close(struct published_ports *ports);

#endif
