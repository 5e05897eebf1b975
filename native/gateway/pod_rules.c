#include "gateway/pod_rules.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "gateway/policy.h"

/* The most rules beside those of frontends and policies. */
#define FIXED 10

struct rules {
	struct iptables_rule *rules;
	size_t count;
};

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

/* The peer is the source of what comes in and the destination of what goes out. */
static struct iptables_rule *add(struct rules *rules, enum direction direction,
                                 struct iptables_network peer, enum iptables_target target)
{
	struct iptables_rule *rule = &rules->rules[rules->count++];

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

/* New connections come from the bridge: other pods, or the node, for itself and for all it relays.
 */
static void add_ingress(struct rules *rules, const struct gateway *gateway, const struct pod *pod,
                        enum extent extent)
{
	const struct policy *policy = pod->policies[DIRECTION_INGRESS];
	const struct iptables_network pods = network_of(&gateway->options.pod_cidr);

	if (policy == NULL)
		return;
	add(rules, DIRECTION_INGRESS, only(gateway->options.bridge_address), IPTABLES_RETURN);
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
static void add_frontends(struct rules *rules, const struct gateway *gateway, const struct pod *pod)
{
	const struct list *frontends = &gateway->table.frontends;
	const bool isolated = pod->policies[DIRECTION_EGRESS] != NULL;
	size_t services[2] = {0, 0};

	for (struct list *node = frontends->next; node != frontends; node = node->next) {
		const struct frontend *frontend = list_object(node, struct frontend, node);
		const bool allowed = policy_allows_frontend(gateway, pod, frontend);
		if (is_service(gateway, frontend))
			services[allowed]++;
		else if (!allowed)
			add_frontend(rules, gateway, frontend, IPTABLES_DROP);
		else if (isolated && frontend->key.address.address != 0)
			add_frontend(rules, gateway, frontend, IPTABLES_RETURN);
	}
	const bool listed = isolated && services[true] < services[false];
	const enum iptables_target target = listed ? IPTABLES_RETURN : IPTABLES_DROP;
	for (struct list *node = frontends->next; node != frontends; node = node->next) {
		const struct frontend *frontend = list_object(node, struct frontend, node);
		if (is_service(gateway, frontend) &&
		    policy_allows_frontend(gateway, pod, frontend) == listed)
			add_frontend(rules, gateway, frontend, target);
	}
	if (isolated)
		add(rules, DIRECTION_EGRESS, network_of(&gateway->options.service_cidr),
		    listed ? IPTABLES_DROP : IPTABLES_RETURN);
}

static void add_egress(struct rules *rules, const struct gateway *gateway, const struct pod *pod,
                       enum extent extent)
{
	const struct policy *policy = pod->policies[DIRECTION_EGRESS];
	const struct iptables_network reach =
	    extent == EXTENT_ALL ? anywhere : network_of(&gateway->options.pod_cidr);

	if (extent == EXTENT_ALL)
		add_frontends(rules, gateway, pod);
	if (policy == NULL)
		return;
	add(rules, DIRECTION_EGRESS, only(gateway->options.bridge_address), IPTABLES_RETURN);
	add(rules, DIRECTION_EGRESS, only(pod->address), IPTABLES_RETURN);
	if (extent != EXTENT_ISOLATION)
		add_policy(rules, policy, reach);
	/* Loopback is not asked about in PREROUTING, but it is here. */
	add(rules, DIRECTION_EGRESS, (struct iptables_network){0x7f000000, 0xff000000},
	    IPTABLES_RETURN);
	add(rules, DIRECTION_EGRESS, reach, IPTABLES_DROP);
}

/*
 * From the first policy on, connections of every pod are tracked, so that those which are open when
 * it is isolated one day are known. Linux tracks connections in a namespace only once a rule there
 * could translate an address (nf_ct_netns_get, net/netfilter/nf_conntrack_proto.c), and asks nat
 * about tracked ones alone: this is such a rule, for an address that nobody has.
 */
static void add_tracking(struct rules *rules)
{
	struct iptables_rule *rule = add(rules, DIRECTION_INGRESS, only(0), IPTABLES_REDIRECT);

	rule->protocol = IPPROTO_TCP;
	rule->redirect_port = 1;
}

ssize_t pod_rules(const struct gateway *gateway, const struct pod *pod, enum extent extent,
                  struct iptables_rule **out)
{
	size_t capacity = FIXED + gateway->table.by_key.count;
	struct rules rules = {0};

	*out = NULL;
	if (list_empty(&gateway->pods.policies.policies))
		return 0;
	for (size_t i = 0; i < DIRECTIONS; i++)
		if (pod->policies[i] != NULL)
			capacity += pod->policies[i]->rule_count;
	rules.rules = calloc(capacity, sizeof(*rules.rules));
	if (rules.rules == NULL)
		return -ENOMEM;
	add_ingress(&rules, gateway, pod, extent);
	add_egress(&rules, gateway, pod, extent);
	add_tracking(&rules);
	*out = rules.rules;
	return (ssize_t)rules.count;
}

static bool same_network(struct iptables_network a, struct iptables_network b)
{
	return a.address == b.address && a.mask == b.mask;
}

static bool same_rule(const struct iptables_rule *a, const struct iptables_rule *b)
{
	return a->hook == b->hook && a->protocol == b->protocol &&
	       same_network(a->source, b->source) && same_network(a->destination, b->destination) &&
	       a->first_port == b->first_port && a->last_port == b->last_port &&
	       a->target == b->target;
}

bool pod_rules_equal(const struct iptables_rule *a, size_t a_count, const struct iptables_rule *b,
                     size_t b_count)
{
	if (a_count != b_count)
		return false;
	for (size_t i = 0; i < a_count; i++)
		if (!same_rule(&a[i], &b[i]))
			return false;
	return true;
}
