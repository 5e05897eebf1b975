/* UDP: listeners, and a flow for each client of each, relayed to endpoints. */
#ifndef GATEWAY_UDP_RELAY_H
#define GATEWAY_UDP_RELAY_H

#include "gateway/gateway.h"

struct udp_listener {
	struct source source;
	struct gateway *gateway;
	struct frontend *frontend;
	struct map flows; /**< client -> struct relayed_flow */
};

/** Makes gateway->udp, for at most so many flows at once. Returns 0 or -ENOMEM. */
int udp_relay_init(struct gateway *gateway, size_t limit);

void udp_relay_end(struct gateway *gateway);

/** The pod of the address is gone, and so are its flows. */
void udp_relay_forget(struct gateway *gateway, uint32_t address);

/** Closed until it is opened. */
void udp_listener_init(struct gateway *gateway, struct udp_listener *listener);

/** Receives on the address, in the runner's namespace if `outside`. Returns 0 or -errno. */
int udp_listener_open(struct udp_listener *listener, bool outside, struct endpoint address,
                      struct frontend *frontend);

/** Drops the flows to endpoints that the frontend no longer has. */
void udp_listener_prune(struct udp_listener *listener);

/** Stops receiving and drops every flow. No-op where it is closed. */
void udp_listener_close(struct udp_listener *listener);

#endif
