/* Where NetworkPolicy is asked: before anything is sent to an endpoint. */
#ifndef GATEWAY_POLICY_H
#define GATEWAY_POLICY_H

#include "gateway/gateway.h"

/**
 * Whether a client (address in host byte order) may reach the endpoint. The node's own processes,
 * and the runner's, may reach everything, and everything may reach the node: "traffic to and from
 * the node where a Pod is running is always allowed"
 * (https://kubernetes.io/docs/concepts/services-networking/network-policies/).
 */
bool policy_allows(const struct gateway *gateway, enum protocol protocol, uint32_t client,
                   struct endpoint endpoint);

/** Whether the pod may reach an endpoint of the frontend, or it has none to be kept from. */
bool policy_allows_frontend(const struct gateway *gateway, const struct pod *pod,
                            const struct frontend *frontend);

/**
 * Whether the client may reach an address outside of the cluster at all: the options keep pods from
 * some. The node is kept from none; pods on its network are it.
 */
bool policy_allows_outside(const struct gateway *gateway, uint32_t client, uint32_t address);

#endif
