/*
 * UDP from pods to the outside. No rule can lead it here: after gVisor's REDIRECT a socket cannot
 * learn where a datagram was going. So a packet socket on the node's link on the bridge sees the
 * frames themselves, and answers are packets by a raw socket.
 */
#ifndef GATEWAY_UDP_OUTSIDE_H
#define GATEWAY_UDP_OUTSIDE_H

#include "gateway/gateway.h"
#include "lib/failure.h"

/** For at most so many flows at once. NULL, with the failure noted, when it cannot be. */
struct udp_outside *udp_outside_open(struct gateway *gateway, size_t limit, struct failure *failure);

void udp_outside_close(struct udp_outside *outside);

#endif
