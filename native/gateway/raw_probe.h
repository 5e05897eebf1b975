/*
 * Whether a raw socket is shown datagrams that are on their way to somebody else. gVisor's are, before
 * anything asks whose they are (handleValidatedPacket, pkg/tcpip/network/ipv4/ipv4.go); Linux's are
 * not. Tried, not read off a version.
 */
#ifndef GATEWAY_RAW_PROBE_H
#define GATEWAY_RAW_PROBE_H

#include <stdbool.h>

/** Tries it in a network namespace of its own, by one datagram. */
bool raw_probe(void);

#endif
