/* Sockets of either network namespace, non-blocking and closed on exec. */
#ifndef GATEWAY_SOCKET_H
#define GATEWAY_SOCKET_H

#include "gateway/gateway.h"

/** An unbound socket of the type (SOCK_STREAM, SOCK_DGRAM); or -errno. */
int socket_open(const struct gateway *gateway, bool outside, int type);

/** One that is bound, and listening if it is a SOCK_STREAM; or -errno. */
int socket_serve(const struct gateway *gateway, bool outside, int type, struct endpoint address);

/** A TCP socket of the node's that has the address and does not listen; or -errno. */
int socket_reserve(const struct gateway *gateway, struct endpoint address);

/** Connects it, or begins to. Returns 0 when it has, -EINPROGRESS when it has begun, or -errno. */
int socket_connect(int fd, struct endpoint destination);

/** Sends a datagram from a socket that serves to one of its clients. Returns 0 or -errno. */
int socket_answer(const struct gateway *gateway, int fd, const void *datagram, size_t size,
                  const struct sockaddr_in *client);

/** Whether an address is neither the cluster's, nor the node's, nor nobody's. */
bool address_is_outside(const struct gateway *gateway, uint32_t address);

/** Whether an endpoint's sockets are to be made in the runner's network namespace. */
bool endpoint_is_outside(const struct gateway *gateway, enum side side, struct endpoint endpoint);

#endif
