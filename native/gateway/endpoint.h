/* An IPv4 address and a port: what Services have in front of them and behind them. */
#ifndef GATEWAY_ENDPOINT_H
#define GATEWAY_ENDPOINT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/cidr.h"

/** Both in host byte order. */
struct endpoint {
	uint32_t address;
	uint16_t port;
};

/** "255.255.255.255:65535" */
#define ENDPOINT_TEXT_SIZE 22

/** Reads "a.b.c.d:port", port 1..65535; -EINVAL if it is not exactly that. */
int endpoint_parse(const char *text, struct endpoint *out);

/** Writes it the way it is read; returns `out`. */
const char *endpoint_format(struct endpoint endpoint, char out[ENDPOINT_TEXT_SIZE]);

bool endpoint_equal(struct endpoint a, struct endpoint b);

/** Whether the address (host byte order) lies in the network. */
bool network_contains(const struct cidr *network, uint32_t address);

/**
 * Whether the address (host byte order) can be a machine's: neither this machine by another name
 * (0/8, which leads to the loopback as well, and 127/8), nor a group's (224/4), nor reserved (240/4,
 * broadcast).
 */
bool address_is_unicast(uint32_t address);

struct sockaddr_in endpoint_to_socket(struct endpoint endpoint);
struct endpoint endpoint_from_socket(const struct sockaddr_in *address);

#endif
