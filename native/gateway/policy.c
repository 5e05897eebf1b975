#include "gateway/policy.h"

#include <netinet/in.h>

static bool is_node(const struct gateway *gateway, uint32_t address)
{
	return options_is_node(&gateway->options, address) || address >> 24 == IN_LOOPBACKNET;
}

static bool passes(const struct policy *policy, enum protocol protocol, uint32_t peer,
                   uint16_t port)
{
	return policy == NULL ||
	       policy_matches(policy, protocol == PROTOCOL_TCP ? IPPROTO_TCP : IPPROTO_UDP, peer,
	                      port);
}

bool policy_allows(const struct gateway *gateway, enum protocol protocol, uint32_t client,
                   struct endpoint endpoint)
{
	const struct pod *from = pods_find(&gateway->pods, client);
	const struct pod *to = pods_find(&gateway->pods, endpoint.address);

	if (is_node(gateway, endpoint.address) || is_node(gateway, client))
		return true;
	if (client == endpoint.address) /* a pod cannot be kept from itself */
		return true;
	if (from == NULL && !network_contains(&gateway->options.pod_cidr, client))
		return true; /* the runner */
	/* An address that no pod was given is one that some pod took to be another. */
	if (from == NULL && gateway->pods.isolates_egress)
		return false;
	if (from != NULL &&
	    !passes(from->policies[DIRECTION_EGRESS], protocol, endpoint.address, endpoint.port))
		return false;
	return to == NULL ||
	       passes(to->policies[DIRECTION_INGRESS], protocol, client, endpoint.port);
}

bool policy_allows_frontend(const struct gateway *gateway, const struct pod *pod,
                            const struct frontend *frontend)
{
	for (size_t i = 0; i < frontend->endpoint_count; i++)
		if (policy_allows(gateway, frontend->key.protocol, pod->address,
		                  frontend->endpoints[i]))
			return true;
	return frontend->endpoint_count == 0;
}

bool policy_allows_outside(const struct gateway *gateway, uint32_t client, uint32_t address)
{
	const struct options *options = &gateway->options;

	if (is_node(gateway, client) || !network_contains(&options->pod_cidr, client))
		return true;
	for (size_t i = 0; i < options->denied_count; i++)
		if (network_contains(&options->denied[i], address))
			return false;
	return true;
}
