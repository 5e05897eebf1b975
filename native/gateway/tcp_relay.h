/* TCP: listeners, and the connections that came through them, relayed to endpoints. */
#ifndef GATEWAY_TCP_RELAY_H
#define GATEWAY_TCP_RELAY_H

#include "gateway/gateway.h"

struct tcp_listener {
	struct source source;
	struct gateway *gateway;
	struct frontend *frontend; /**< NULL: where to is each connection's original destination */
	bool published; /**< whoever fills the gateway leaves room for this one */
	struct list node;
};

/** Makes gateway->tcp, for at most so many connections at once. Returns 0 or -ENOMEM. */
int tcp_relay_init(struct gateway *gateway, size_t limit);

/** Ends every connection. */
void tcp_relay_end(struct gateway *gateway);

/** A pod is gone, and says no more goodbye: whoever is connected to it is told, by a reset. */
void tcp_relay_forget(struct gateway *gateway, uint32_t address);

/** Closed until it is opened. */
void tcp_listener_init(struct gateway *gateway, struct tcp_listener *listener);

/** Accepts on the address, in the runner's namespace if `outside`. Returns 0 or -errno. */
int tcp_listener_open(struct tcp_listener *listener, bool outside, struct endpoint address,
                      struct frontend *frontend);

/** Stops accepting; the connections it accepted live on. No-op where it is closed. */
void tcp_listener_close(struct tcp_listener *listener);

#endif
