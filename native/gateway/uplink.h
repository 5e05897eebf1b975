/*
 * Sockets of the runner's network namespace, made by init's parent, which stayed there. It hands
 * out a plain socket for each request; connecting and binding it is up to the gateway. Some are asked
 * for before they are needed, so that nobody waits for the parent to have its turn.
 */
#ifndef GATEWAY_UPLINK_H
#define GATEWAY_UPLINK_H

#include "gateway/loop.h"

struct uplink;

/** `fd` is the SOCK_SEQPACKET to init's parent. NULL with errno set when it cannot be. */
struct uplink *uplink_open(struct loop *loop, int fd);
void uplink_close(struct uplink *uplink);

/**
 * An unconnected, non-blocking IPv4 socket of the type (as in lib/uplink.h), or -errno:
 * -ETIMEDOUT where the parent makes none for a second, and from then on at once until it does again.
 */
int uplink_socket(struct uplink *uplink, int type);

#endif
