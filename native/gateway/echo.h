/*
 * ICMP echo from pods to the outside. A raw socket is shown what pods send, one socket in the runner's
 * namespace asks for all of them, and answers are packets by a raw socket: as for UDP (udp_outside.h),
 * but that no flow is kept, only who asked what.
 */
#ifndef GATEWAY_ECHO_H
#define GATEWAY_ECHO_H

#include "gateway/gateway.h"
#include "lib/failure.h"

struct echo;

/**
 * Where the runner may make no such socket, that is logged, and nobody is served. NULL, with the
 * failure noted, when anything else is wrong.
 */
struct echo *echo_open(struct gateway *gateway, struct failure *failure);

void echo_close(struct echo *echo);

#endif
