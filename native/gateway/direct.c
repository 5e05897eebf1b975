#include "gateway/direct.h"

#include <netinet/in.h>
#include <string.h>

#include "gateway/gateway.h"
#include "gateway/node_addresses.h"
#include "gateway/policy.h"

#define DNS_PORT 53

/* The ports gVisor gives to clients that ask for none, all with the same chance (FirstEphemeral,
 * pkg/tcpip/ports/ports.go). */
#define FIRST_EPHEMERAL 16000
#define EPHEMERALS (UINT16_MAX + 1 - FIRST_EPHEMERAL)

static bool is_node_port(const struct gateway *gateway, struct frontend_key key)
{
	return key.address.address == 0 || options_is_node(&gateway->options, key.address.address);
}

/*
 * Of UDP only DNS: a datagram flow keeps the endpoint it began with for as long as it lives, in the
 * client's own connection tracking, where nothing can drop it when the endpoint goes. DNS clients take
 * another port for each question.
 */
static bool is_served(const struct gateway *gateway, struct frontend_key key)
{
	const uint32_t address = key.address.address;

	if (address >> 24 == IN_LOOPBACKNET)
		return false;
	if (network_contains(&gateway->options.pod_cidr, address) && !is_node_port(gateway, key))
		return false;
	return key.protocol == PROTOCOL_TCP || key.address.port == DNS_PORT;
}

bool direct_can(const struct gateway *gateway, const struct frontend *frontend)
{
	if (!gateway->options.direct || !is_served(gateway, frontend->key))
		return false;
	if (frontend->endpoint_count == 0 || frontend->endpoint_count > DIRECT_ENDPOINTS_MAX)
		return false;
	if (frontend->affinity_seconds > 0 && frontend->affinity_seconds < DIRECT_AFFINITY_MIN)
		return false;
	for (size_t i = 0; i < frontend->endpoint_count; i++)
		if (!network_contains(&gateway->options.pod_cidr, frontend->endpoints[i].address))
			return false;
	return true;
}

/* How many rules the frontend has at most. */
static size_t rules_of(const struct frontend *frontend)
{
	return frontend->affinity_seconds > 0 ? 1 : frontend->endpoint_count;
}

/* Adds the newest that fit, of one protocol; returns how many rules are left. */
static size_t choose(const struct gateway *gateway, enum protocol protocol, size_t left,
                     struct direct_common *common)
{
	const struct list *frontends = &gateway->table.frontends;

	for (struct list *node = frontends->previous; node != frontends && left > 0;
	     node = node->previous) {
		const struct frontend *frontend = list_object(node, struct frontend, node);
		if (frontend->key.protocol != protocol || is_node_port(gateway, frontend->key) ||
		    !direct_can(gateway, frontend) || rules_of(frontend) > left)
			continue;
		common->frontends[common->count++] = frontend;
		left -= rules_of(frontend);
	}
	return left;
}

void direct_choose(const struct gateway *gateway, struct direct_common *common)
{
	common->count = 0;
	if (!gateway->options.direct)
		return;
	/* Of UDP there is only DNS, which everybody uses. */
	size_t left = choose(gateway, PROTOCOL_UDP, DIRECT_COMMON_RULES, common);
	choose(gateway, PROTOCOL_TCP, left, common);
}

static bool same_key(struct frontend_key a, struct frontend_key b)
{
	return a.protocol == b.protocol && endpoint_equal(a.address, b.address);
}

static size_t index_of(const struct direct_uses *uses, struct frontend_key key)
{
	size_t index = 0;

	while (index < uses->count && !same_key(uses->keys[index], key))
		index++;
	return index;
}

bool direct_note(struct direct_uses *uses, struct frontend_key key)
{
	size_t index = index_of(uses, key);

	if (index < uses->count && index == 0)
		return false;
	if (index == uses->count) {
		/* New: at the end, or in the place of the one that was used longest ago. */
		if (uses->count < DIRECT_USED_MAX)
			uses->count++;
		else
			index--;
	}
	memmove(&uses->keys[1], &uses->keys[0], index * sizeof(key));
	uses->keys[0] = key;
	return true;
}

/* Any mixing would do (this is splitmix64's). */
static uint64_t mix(uint64_t value)
{
	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
	value = (value ^ value >> 27) * 0x94d049bb133111eb;
	return value ^ value >> 31;
}

/*
 * The client's own among the endpoints, by the highest hash of both: a client is kept on its endpoint
 * when others come or go.
 */
static size_t endpoint_of(uint32_t client, struct frontend_key key,
                          const struct endpoint *endpoints, size_t count)
{
	const uint64_t seed =
	    mix((uint64_t)client << 32 ^ (uint64_t)key.address.address << 16 ^ key.address.port);
	uint64_t best = 0;
	size_t index = 0;

	for (size_t i = 0; i < count; i++) {
		const uint64_t hash =
		    mix(seed ^ ((uint64_t)endpoints[i].address << 16 | endpoints[i].port));
		if (hash >= best) {
			best = hash;
			index = i;
		}
	}
	return index;
}

/*
 * For the node itself, endpoints on the node are the relay's. So are Services whose address is the node's
 * own for the sake of a UDP port: the node's connections there have that address for their source.
 */
static bool may_have(const struct gateway *gateway, uint32_t client, const struct frontend *frontend)
{
	if (client != gateway->options.bridge_address)
		return true;
	if (frontend->key.protocol != PROTOCOL_TCP || is_node_port(gateway, frontend->key))
		return false;
	if (gateway->addresses != NULL &&
	    node_addresses_has(gateway->addresses, frontend->key.address.address))
		return false;
	for (size_t i = 0; i < frontend->endpoint_count; i++)
		if (frontend->endpoints[i].address == client)
			return false;
	return true;
}

/* A pod whose own policies are too many for its namespace takes nothing from the bridge but what the node
 * says, the relay for one, which knows all of them. */
static bool takes_direct(const struct gateway *gateway, struct endpoint endpoint)
{
	const struct pod *pod = pods_find(&gateway->pods, endpoint.address);

	return pod == NULL || pod->extent != EXTENT_ISOLATION;
}

static size_t endpoints_for(const struct gateway *gateway, uint32_t client,
                            const struct frontend *frontend,
                            struct endpoint endpoints[DIRECT_ENDPOINTS_MAX])
{
	size_t count = 0;

	if (!may_have(gateway, client, frontend))
		return 0;
	for (size_t i = 0; i < frontend->endpoint_count; i++)
		if (takes_direct(gateway, frontend->endpoints[i]) &&
		    policy_allows(gateway, frontend->key.protocol, client, frontend->endpoints[i]))
			endpoints[count++] = frontend->endpoints[i];
	if (frontend->affinity_seconds == 0 || count == 0)
		return count;
	endpoints[0] = endpoints[endpoint_of(client, frontend->key, endpoints, count)];
	return 1;
}

struct layout {
	struct iptables_rule *rules;
	size_t count;
	size_t room;
};

/* The clients' ports are cut evenly; the last rule takes those that are left, low ones too. */
static void add(struct layout *layout, const struct gateway *gateway, uint32_t client,
                const struct frontend *frontend)
{
	const struct endpoint address = frontend->key.address;
	struct endpoint endpoints[DIRECT_ENDPOINTS_MAX];
	const size_t count = endpoints_for(gateway, client, frontend, endpoints);
	struct iptables_rule rule = {
	    .hook = IPTABLES_OUTPUT,
	    .protocol = frontend->key.protocol == PROTOCOL_TCP ? IPPROTO_TCP : IPPROTO_UDP,
	    .destination = {.address = address.address != 0 ? address.address
	                                                    : gateway->options.bridge_address,
	                    .mask = UINT32_MAX},
	    .first_port = address.port,
	    .last_port = address.port,
	    .target = IPTABLES_DNAT};
	const size_t size = count * iptables_rule_size(&rule);

	if (size > layout->room || layout->count + count > DIRECT_RULES_MAX)
		return;
	layout->room -= size;
	for (size_t i = 0; i < count; i++) {
		const bool last = i + 1 == count;
		rule.first_source_port =
		    last ? 0 : (uint16_t)(FIRST_EPHEMERAL + i * EPHEMERALS / count);
		rule.last_source_port =
		    last ? 0 : (uint16_t)(FIRST_EPHEMERAL + (i + 1) * EPHEMERALS / count - 1);
		rule.dnat_address = endpoints[i].address;
		rule.dnat_port = endpoints[i].port;
		layout->rules[layout->count++] = rule;
	}
}

size_t direct_rules(const struct gateway *gateway, uint32_t client,
                    const struct direct_common *common, const struct direct_uses *uses, size_t room,
                    struct iptables_rule rules[DIRECT_RULES_MAX])
{
	struct layout layout = {.rules = rules, .room = room};

	for (size_t i = 0; i < uses->count; i++) {
		const struct frontend *frontend = table_find(&gateway->table, uses->keys[i]);
		if (frontend != NULL && direct_can(gateway, frontend))
			add(&layout, gateway, client, frontend);
	}
	for (size_t i = 0; i < common->count; i++)
		if (index_of(uses, common->frontends[i]->key) == uses->count)
			add(&layout, gateway, client, common->frontends[i]);
	return layout.count;
}
