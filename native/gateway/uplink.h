/*
 * Sockets of the runner's network namespace, made by init's parent, which stayed there. It hands
 * out a plain socket for each request; connecting and binding it is up to the gateway.
 */
#ifndef GATEWAY_UPLINK_H
#define GATEWAY_UPLINK_H

/**
 * An unconnected, non-blocking IPv4 socket of the type (SOCK_STREAM or SOCK_DGRAM).
 * `uplink` is the SOCK_SEQPACKET to init's parent. Returns the descriptor or -errno.
 */
int uplink_socket(int uplink, int type);

#endif
