/*
 * UDP from pods and the node to the outside. No rule can lead it here: after gVisor's REDIRECT a socket cannot
 * learn where a datagram was going. So a raw socket, or a packet socket on the node's link, is shown
 * what pods send, a packet socket at the node's router what the node does, and answers are packets by a raw socket.
 */
#ifndef GATEWAY_UDP_OUTSIDE_H
#define GATEWAY_UDP_OUTSIDE_H

#include "gateway/gateway.h"
#include "lib/failure.h"

struct udp_outside;

/** For at most so many flows at once. NULL, with the failure noted, when it cannot be. */
struct udp_outside *udp_outside_open(struct gateway *gateway, size_t limit, struct failure *failure);

void udp_outside_close(struct udp_outside *outside);

/** Policies have changed: looks as closely at who sends as they ask for. */
void udp_outside_sync(struct udp_outside *outside);

/** Whether a raw socket is shown what is on its way to others (raw_probe.h). */
bool udp_outside_is_shown(const struct udp_outside *outside);

/** The pod of the address is gone, and so are its flows. */
void udp_outside_forget(struct udp_outside *outside, uint32_t address);

#endif
