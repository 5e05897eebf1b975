/*
 * The uplink: how a process in the new network namespace gets sockets of the runner's. Over a
 * SOCK_SEQPACKET pair it sends one request and gets one reply, in order; the reply carries the
 * socket (unconnected, unbound, non-blocking) by SCM_RIGHTS when its error is 0.
 */
#ifndef LIB_UPLINK_H
#define LIB_UPLINK_H

#include <stdint.h>

/** Where a process that was declared with `uplink` finds its end. */
#define UPLINK_FD 3

/** The type of a socket for ICMP echo, of IPv4; not everybody may make one (ping_group_range). */
#define UPLINK_ECHO 0xff

struct uplink_request {
	uint8_t family; /**< 4 or 6 */
	uint8_t type;   /**< SOCK_STREAM, SOCK_DGRAM, or UPLINK_ECHO */
};

struct uplink_reply {
	int32_t error; /**< errno value; 0: the socket comes with the reply */
};

#endif
