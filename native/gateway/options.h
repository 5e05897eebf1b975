/* The gateway's command line. */
#ifndef GATEWAY_OPTIONS_H
#define GATEWAY_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/endpoint.h"
#include "lib/cidr.h"
#include "lib/failure.h"

#define DNS_UPSTREAMS_MAX 8
#define PUBLISHED_MAX 64
#define DENIED_MAX 64
#define UNPROXIED_MAX 256
#define NODES_MAX 9

/** A port of the runner's namespace that leads to one in the node's, or the other way round. */
struct published {
	struct endpoint outer;
	struct endpoint inner;
	bool outward; /**< listens on inner, leads to outer */
};

/** Another node on the same bridge. */
struct other_node {
	uint32_t address; /**< host byte order */
	const char *netns;
};

struct options {
	const char *control;
	const char *bridge;
	uint32_t bridge_address; /**< the node's on the bridge; host byte order */
	uint32_t router; /**< whom the node's default route names; 0: nobody is to be there */
	struct cidr pod_cidr;
	struct cidr service_cidr;
	bool direct; /**< pods reach Services by rules of their own: OUTPUT's DNAT leads to others */
	struct endpoint dns_upstreams[DNS_UPSTREAMS_MAX];
	size_t dns_upstream_count;
	struct published published[PUBLISHED_MAX];
	size_t published_count;
	struct cidr denied[DENIED_MAX]; /**< outside, to pods */
	size_t denied_count;
	struct endpoint proxy; /**< an HTTP proxy, outside; its port 0: none */
	const char *proxy_authorization; /**< what it is told of who asks, or NULL; not of argv */
	struct cidr unproxied[UNPROXIED_MAX]; /**< that are reached without it, or not */
	size_t unproxied_count;
	struct other_node nodes[NODES_MAX];
	size_t node_count;
};

/** The other node that has the address, or NULL. */
const struct other_node *options_node(const struct options *options, uint32_t address);

/** Whether a node has the address on the bridge: the gateway's own or another. */
bool options_is_node(const struct options *options, uint32_t address);

/** Returns 0, or -EINVAL with what was wrong with which option. */
int options_parse(int argc, const char *const *argv, struct options *options, struct failure *failure);

#endif
