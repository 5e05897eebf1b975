#include "gateway/pod_rules.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/policy.h"

struct rules {
	struct iptables_rule *rules;
	size_t count;
	size_t capacity;
	bool failed; /* out of memory */
};

/* No address ever begins with 0: rules that match one never match. */
#define NO_ADDRESSES 0x00ffffff

static const struct iptables_network anywhere = {0, 0};

static struct iptables_network only(uint32_t address)
{
	return (struct iptables_network){.address = address, .mask = UINT32_MAX};
}

static struct iptables_network network_of(const struct cidr *cidr)
{
	const uint32_t mask = cidr_mask(cidr->prefix);

	return (struct iptables_network){.address = ntohl(cidr->address.s_addr) & mask,
	                                 .mask = mask};
}

/* Room for one more; where there is none, for one that is thrown away. */
static struct iptables_rule *append(struct rules *rules)
{
	static struct iptables_rule lost;

	if (rules->count == rules->capacity) {
		const size_t capacity = rules->capacity == 0 ? 32 : 2 * rules->capacity;
		struct iptables_rule *grown = realloc(rules->rules, capacity * sizeof(*grown));
		if (grown == NULL) {
			rules->failed = true;
			return &lost;
		}
		rules->rules = grown;
		rules->capacity = capacity;
	}
	return &rules->rules[rules->count++];
}

/* The peer is the source of what comes in and the destination of what goes out. */
static struct iptables_rule *add(struct rules *rules, enum direction direction,
                                 struct iptables_network peer, enum iptables_target target)
{
	struct iptables_rule *rule = append(rules);

	*rule = (struct iptables_rule){.target = target};
	if (direction == DIRECTION_INGRESS) {
		rule->hook = IPTABLES_PREROUTING;
		rule->source = peer;
	} else {
		rule->hook = IPTABLES_OUTPUT;
		rule->destination = peer;
	}
	return rule;
}

static bool overlap(struct iptables_network a, struct iptables_network b)
{
	return ((a.address ^ b.address) & a.mask & b.mask) == 0;
}

/* Of the policy's rules those whose peers are within reach, since room for rules is scarce. */
static void add_policy(struct rules *rules, const struct policy *policy,
                       struct iptables_network reach)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct policy_rule *from = &policy->rules[i];
		if (from->absent || !overlap(from->peer, reach))
			continue;
		struct iptables_rule *rule =
		    add(rules, policy->direction, from->peer, IPTABLES_RETURN);
		rule->protocol = from->protocol;
		rule->first_port = from->first_port;
		rule->last_port = from->last_port;
	}
}

static void add_nodes(struct rules *rules, const struct options *options, enum direction direction)
{
	add(rules, direction, only(options->bridge_address), IPTABLES_RETURN);
	for (size_t i = 0; i < options->node_count; i++)
		add(rules, direction, only(options->nodes[i].address), IPTABLES_RETURN);
}

/* New connections come from the bridge: other pods, or the node, for itself and for all it relays.
 */
static void add_ingress(struct rules *rules, const struct gateway *gateway, const struct pod *pod,
                        enum extent extent)
{
	const struct policy *policy = pod->policies[DIRECTION_INGRESS];
	const struct iptables_network pods = network_of(&gateway->options.pod_cidr);

	if (policy == NULL)
		return;
	add_nodes(rules, &gateway->options, DIRECTION_INGRESS);
	add(rules, DIRECTION_INGRESS, only(pod->address), IPTABLES_RETURN);
	if (extent != EXTENT_ISOLATION)
		add_policy(rules, policy, pods);
	add(rules, DIRECTION_INGRESS, pods, IPTABLES_DROP);
}

static void add_frontend(struct rules *rules, const struct gateway *gateway,
                         const struct frontend *frontend, enum iptables_target target)
{
	const struct endpoint address = frontend->key.address;
	struct iptables_rule *rule = add(
	    rules, DIRECTION_EGRESS,
	    only(address.address == 0 ? gateway->options.bridge_address : address.address), target);

	rule->protocol = frontend->key.protocol == PROTOCOL_TCP ? IPPROTO_TCP : IPPROTO_UDP;
	rule->first_port = rule->last_port = address.port;
}

static bool is_service(const struct gateway *gateway, const struct frontend *frontend)
{
	return network_contains(&gateway->options.service_cidr, frontend->key.address.address);
}

/*
 * The gateway accepts a connection to a Service before it knows an endpoint, and can do no better
 * than reset it when there is none that this pod may reach. Dropped here, it is never accepted.
 * Of the cluster addresses, of which there may be many, the fewer of both kinds are listed.
 */
static void add_all_frontends(struct rules *rules, const struct gateway *gateway,
                              const struct pod *pod)
{
	const struct list *frontends = &gateway->table.frontends;
	size_t services[2] = {0, 0};

	for (struct list *node = frontends->next; node != frontends; node = node->next) {
		const struct frontend *frontend = list_object(node, struct frontend, node);
		const bool allowed = policy_allows_frontend(gateway, pod, frontend);
		if (is_service(gateway, frontend))
			services[allowed]++;
		else if (!allowed)
			add_frontend(rules, gateway, frontend, IPTABLES_DROP);
		else if (frontend->key.address.address != 0)
			add_frontend(rules, gateway, frontend, IPTABLES_RETURN);
	}
	const bool listed = services[true] < services[false];
	const enum iptables_target target = listed ? IPTABLES_RETURN : IPTABLES_DROP;
	for (struct list *node = frontends->next; node != frontends; node = node->next) {
		const struct frontend *frontend = list_object(node, struct frontend, node);
		if (is_service(gateway, frontend) &&
		    policy_allows_frontend(gateway, pod, frontend) == listed)
			add_frontend(rules, gateway, frontend, target);
	}
	add(rules, DIRECTION_EGRESS, network_of(&gateway->options.service_cidr),
	    listed ? IPTABLES_DROP : IPTABLES_RETURN);
}

/* For a pod that is free itself: what nobody behind it would take from this pod. */
static void add_guarded(struct rules *rules, const struct pod_rules_source *source,
                        const struct pod *pod)
{
	for (size_t i = 0; i < source->guarded_count; i++)
		if (!policy_allows_frontend(source->gateway, pod, source->guarded[i]))
			add_frontend(rules, source->gateway, source->guarded[i], IPTABLES_DROP);
}

static bool is_whole(enum extent extent)
{
	return extent == EXTENT_ALL || extent == EXTENT_OWN;
}

static void add_egress(struct rules *rules, const struct pod_rules_source *source,
                       const struct pod *pod, enum extent extent)
{
	const struct gateway *gateway = source->gateway;
	const struct policy *policy = pod->policies[DIRECTION_EGRESS];
	const struct iptables_network reach =
	    is_whole(extent) ? anywhere : network_of(&gateway->options.pod_cidr);

	if (is_whole(extent) && policy == NULL)
		add_guarded(rules, source, pod);
	if (policy == NULL)
		return;
	if (is_whole(extent))
		add_all_frontends(rules, gateway, pod);
	add_nodes(rules, &gateway->options, DIRECTION_EGRESS);
	add(rules, DIRECTION_EGRESS, only(pod->address), IPTABLES_RETURN);
	if (extent != EXTENT_ISOLATION)
		add_policy(rules, policy, reach);
	/* Loopback is not asked about in PREROUTING, but it is here. */
	add(rules, DIRECTION_EGRESS, (struct iptables_network){0x7f000000, 0xff000000},
	    IPTABLES_RETURN);
	add(rules, DIRECTION_EGRESS, reach, IPTABLES_DROP);
}

static void keep_out(struct rules *rules, const struct pod *from, uint8_t protocol,
                     uint32_t first_port, uint32_t last_port)
{
	struct iptables_rule *rule =
	    add(rules, DIRECTION_INGRESS, only(from->address), IPTABLES_DROP);

	rule->protocol = protocol;
	rule->first_port = (uint16_t)first_port;
	rule->last_port = (uint16_t)last_port;
}

/* Whether the rule allows to speak the protocol (0: something) to the pod. */
static bool is_about(const struct policy_rule *rule, const struct pod *to, uint8_t protocol)
{
	return !rule->absent && ((rule->peer.address ^ to->address) & rule->peer.mask) == 0 &&
	       (rule->protocol == 0 || protocol == 0 || rule->protocol == protocol);
}

/* The last port in an unbroken row of allowed ones from `port` on; port - 1 if it is not allowed itself.
 */
static uint32_t allowed_until(const struct policy *policy, const struct pod *to, uint8_t protocol,
                              uint32_t port)
{
	uint32_t last = port - 1;

	for (bool again = true; again;) {
		again = false;
		for (size_t i = 0; i < policy->rule_count; i++) {
			const struct policy_rule *rule = &policy->rules[i];
			const uint32_t end = rule->first_port == 0 ? UINT16_MAX : rule->last_port;
			if (is_about(rule, to, protocol) && rule->first_port <= last + 1 &&
			    end > last) {
				last = end;
				again = true;
			}
		}
	}
	return last;
}

/* The first allowed port behind `port`, or one more than there are. */
static uint32_t next_allowed(const struct policy *policy, const struct pod *to, uint8_t protocol,
                             uint32_t port)
{
	uint32_t next = UINT16_MAX + 1;

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		if (is_about(rule, to, protocol) && rule->first_port > port &&
		    rule->first_port < next)
			next = rule->first_port;
	}
	return next;
}

static void keep_ports_out(struct rules *rules, const struct pod *from, const struct pod *to,
                           uint8_t protocol)
{
	const struct policy *policy = from->policies[DIRECTION_EGRESS];
	uint32_t port = 1;

	while ((port = allowed_until(policy, to, protocol, port) + 1) <= UINT16_MAX) {
		const uint32_t next = next_allowed(policy, to, protocol, port);
		if (port == 1 && next > UINT16_MAX) {
			keep_out(rules, from, protocol, 0, 0);
			return;
		}
		keep_out(rules, from, protocol, port, next - 1);
		port = next;
	}
}

/*
 * What one pod may not say to another, as that one's table says it: the ports between those that are
 * allowed. An application with CAP_NET_RAW, which is in every container's default set, gets its packets
 * past its own OUTPUT (WriteHeaderIncludedPacket, pkg/tcpip/network/ipv4/ipv4.go), and past nobody
 * else's PREROUTING.
 */
static void keep_from(struct rules *rules, const struct pod *from, const struct pod *to)
{
	const struct policy *policy = from->policies[DIRECTION_EGRESS];
	bool nothing = true;

	for (size_t i = 0; i < policy->rule_count && nothing; i++)
		nothing = !is_about(&policy->rules[i], to, 0);
	if (nothing) {
		keep_out(rules, from, 0, 0, 0);
		return;
	}
	keep_ports_out(rules, from, to, IPPROTO_TCP);
	keep_ports_out(rules, from, to, IPPROTO_UDP);
}

/* As far as there is room beside what the pod needs for itself. */
static void add_kept_in(struct rules *rules, const struct pod_rules_source *source,
                        const struct pod *pod, size_t size)
{
	for (size_t i = 0; i < source->kept_in_count; i++) {
		const size_t before = rules->count;
		if (source->kept_in[i] == pod)
			continue;
		keep_from(rules, source->kept_in[i], pod);
		for (size_t j = before; j < rules->count; j++)
			size += iptables_rule_size(&rules->rules[j]);
		if (size > IPTABLES_SIZE_MAX) {
			rules->count = before;
			return;
		}
	}
}

/* Any mixing would do (this is FNV-1a's). */
static uint64_t mix(uint64_t hash, uint64_t value)
{
	for (size_t i = 0; i < sizeof(value); i++, value >>= 8)
		hash = (hash ^ (value & UINT8_MAX)) * 0x100000001b3;
	return hash;
}

static uint64_t mix_rule(uint64_t hash, const struct iptables_rule *rule)
{
	hash = mix(hash, (uint64_t)rule->hook << 32 | (uint64_t)rule->protocol << 16 |
	                     (uint64_t)rule->target);
	hash = mix(hash, (uint64_t)rule->source.address << 32 | rule->source.mask);
	hash = mix(hash, (uint64_t)rule->destination.address << 32 | rule->destination.mask);
	hash = mix(hash, (uint64_t)rule->first_port << 48 | (uint64_t)rule->last_port << 32 |
	                     (uint64_t)rule->first_source_port << 16 | rule->last_source_port);
	return mix(hash, (uint64_t)rule->dnat_address << 32 | (uint64_t)rule->dnat_port << 16 |
	                     rule->redirect_port);
}

/*
 * The last rule of every table of ours: it matches nothing, and its address and port are a sum of all
 * other rules. It is also why connections of every pod are tracked from its first rule on, so that
 * those which are open when it is isolated one day are known: Linux tracks connections in a namespace
 * only once a rule there could translate an address (nf_ct_netns_get,
 * net/netfilter/nf_conntrack_proto.c), and asks nat about tracked ones alone.
 */
static struct iptables_rule seal_of(const struct iptables_rule *rules, size_t count)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (unsigned hook = 0; hook < IPTABLES_HOOKS; hook++)
		for (size_t i = 0; i < count; i++)
			if (rules[i].hook == hook)
				hash = mix_rule(hash, &rules[i]);
	return (struct iptables_rule){
	    .hook = IPTABLES_OUTPUT,
	    .protocol = IPPROTO_TCP,
	    .source = only((uint32_t)(hash >> 32) & NO_ADDRESSES),
	    .target = IPTABLES_REDIRECT,
	    .redirect_port = (uint16_t)(hash % UINT16_MAX + 1),
	};
}

bool pod_rules_are_ours(const struct iptables_contents *contents)
{
	for (unsigned hook = 0; hook < IPTABLES_HOOKS; hook++)
		if (contents->policy[hook] != IPTABLES_ACCEPT)
			return false;
	if (contents->rule_count == 0)
		return true;
	const size_t last = contents->rule_count - 1;
	const struct iptables_rule seal = seal_of(contents->rules, last);
	return iptables_rules_equal(&contents->rules[last], 1, &seal, 1);
}

/* What decides about one connection is asked in this order: policies of others, of the pod itself for
 * what comes in; the direct path, policies of the pod itself for what goes out. */
static ssize_t assemble(const struct rules parts[], size_t count, bool always,
                        struct iptables_rule **out)
{
	size_t total = 0, used = 0;

	for (size_t i = 0; i < count; i++) {
		if (parts[i].failed)
			return -ENOMEM;
		total += parts[i].count;
	}
	if (total == 0 && !always)
		return 0;
	struct iptables_rule *rules = calloc(total + 1, sizeof(*rules));
	if (rules == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (parts[i].count > 0)
			memcpy(&rules[used], parts[i].rules, parts[i].count * sizeof(*rules));
		used += parts[i].count;
	}
	rules[total] = seal_of(rules, total);
	*out = rules;
	return (ssize_t)total + 1;
}

ssize_t pod_rules(const struct pod_rules_source *source, const struct pod *pod, enum extent extent,
                  struct iptables_rule **out)
{
	const struct gateway *gateway = source->gateway;
	const struct iptables_rule seal = seal_of(NULL, 0);
	struct iptables_rule direct[DIRECT_RULES_MAX];
	struct rules own = {0}, others = {0};
	size_t direct_count = 0;

	*out = NULL;
	add_ingress(&own, gateway, pod, extent);
	add_egress(&own, source, pod, extent);
	if (extent == EXTENT_ALL) {
		size_t size = iptables_nat_size(own.rules, own.count) + iptables_rule_size(&seal);
		add_kept_in(&others, source, pod, size);
		size = iptables_nat_size(own.rules, own.count) + iptables_rule_size(&seal);
		for (size_t i = 0; i < others.count; i++)
			size += iptables_rule_size(&others.rules[i]);
		if (size < IPTABLES_SIZE_MAX && !pod->has_own_rules)
			direct_count =
			    direct_rules(gateway, pod->address, &source->common, &pod->uses,
			                 IPTABLES_SIZE_MAX - size, direct);
	}
	const struct rules parts[] = {
	    others, {.rules = direct, .count = direct_count}, own};
	ssize_t count = assemble(parts, sizeof(parts) / sizeof(parts[0]),
	                         !list_empty(&gateway->pods.policies.policies), out);
	free(own.rules);
	free(others.rules);
	return count;
}

/* Whether every endpoint is one that somebody could be kept from. */
static bool is_guarded(const struct gateway *gateway, const struct frontend *frontend)
{
	for (size_t i = 0; i < frontend->endpoint_count; i++) {
		const struct pod *pod = pods_find(&gateway->pods, frontend->endpoints[i].address);
		if (pod == NULL || pod->policies[DIRECTION_INGRESS] == NULL)
			return false;
	}
	return frontend->endpoint_count > 0;
}

int pod_rules_begin(const struct gateway *gateway, struct pod_rules_source *source)
{
	const struct list *frontends = &gateway->table.frontends;
	const struct list *pods = &gateway->pods.pods;

	*source = (struct pod_rules_source){.gateway = gateway};
	direct_choose(gateway, &source->common);
	if (list_empty(&gateway->pods.policies.policies))
		return 0;
	/* One more than needed: calloc(0) may return NULL without having failed. */
	source->guarded = calloc(gateway->table.by_key.count + 1, sizeof(struct frontend *));
	source->kept_in = calloc(gateway->pods.by_address.count + 1, sizeof(struct pod *));
	if (source->guarded == NULL || source->kept_in == NULL) {
		pod_rules_end(source);
		return -ENOMEM;
	}
	for (struct list *node = frontends->next; node != frontends; node = node->next) {
		const struct frontend *frontend = list_object(node, struct frontend, node);
		if (is_guarded(gateway, frontend))
			source->guarded[source->guarded_count++] = frontend;
	}
	for (struct list *node = pods->next; node != pods; node = node->next) {
		const struct pod *pod = list_object(node, struct pod, node);
		if (pod->policies[DIRECTION_EGRESS] != NULL)
			source->kept_in[source->kept_in_count++] = pod;
	}
	return 0;
}

void pod_rules_end(struct pod_rules_source *source)
{
	free(source->guarded);
	free(source->kept_in);
}
