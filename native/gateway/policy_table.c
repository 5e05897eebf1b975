#include "gateway/policy_table.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cidr.h"
#include "lib/number.h"

#define WILDCARD "*"

bool policy_is_name(const char *text, bool wildcard)
{
	const char *slash = strchr(text, '/');

	/* A namespace has no dots: that tells "a/33" from "10.0.0.0/33". */
	if (slash == NULL || memchr(text, '.', (size_t)(slash - text)) != NULL)
		return false;
	if (slash == text || slash[1] == '\0' || strpbrk(text, " :") != NULL)
		return false;
	return strchr(slash + 1, '/') == NULL && (wildcard || strcmp(slash + 1, WILDCARD) != 0);
}

static int parse_ports(const char *text, struct policy_rule *rule)
{
	char first[sizeof("65535")];
	const char *dash = strchr(text, '-');
	size_t length = dash == NULL ? strlen(text) : (size_t)(dash - text);
	unsigned long from, to;

	if (length >= sizeof(first))
		return -EINVAL;
	memcpy(first, text, length);
	first[length] = '\0';
	if (number_parse(first, 10, UINT16_MAX, &from) != 0 || from == 0 ||
	    number_parse(dash == NULL ? first : dash + 1, 10, UINT16_MAX, &to) != 0 || to < from)
		return -EINVAL;
	rule->first_port = (uint16_t)from;
	rule->last_port = (uint16_t)to;
	return 0;
}

static int parse_protocol(const char *text, struct policy_rule *rule)
{
	if (strcmp(text, "tcp") == 0)
		rule->protocol = IPPROTO_TCP;
	else if (strcmp(text, "udp") == 0)
		rule->protocol = IPPROTO_UDP;
	else
		return -EINVAL;
	return 0;
}

/* The text is cut at its colons; the pod's name stays in it. */
static int parse_rule(char *text, struct policy_rule *rule)
{
	struct cidr network;
	char *protocol = strchr(text, ':');
	char *ports = protocol == NULL ? NULL : strchr(protocol + 1, ':');

	*rule = (struct policy_rule){0};
	if (protocol != NULL)
		*protocol++ = '\0';
	if (ports != NULL)
		*ports++ = '\0';
	if (cidr_parse(text, &network) == 0) {
		rule->peer.mask = cidr_mask(network.prefix);
		rule->peer.address = ntohl(network.address.s_addr) & rule->peer.mask;
	} else if (policy_is_name(text, false)) {
		rule->pod = text;
		rule->absent = true;
	} else {
		return -EINVAL;
	}
	if (protocol != NULL && parse_protocol(protocol, rule) != 0)
		return -EINVAL;
	return ports == NULL ? 0 : parse_ports(ports, rule);
}

static int parse_rules(char *rest, struct policy *policy, struct failure *failure)
{
	while (rest != NULL) {
		char *word = rest;
		rest = strchr(word, ' ');
		if (rest != NULL)
			*rest++ = '\0';
		/* Cut up by then, it is told as far as its first colon. */
		if (parse_rule(word, &policy->rules[policy->rule_count]) != 0)
			return fail_input(
			    failure,
			    "Bad rule '%.300s': must be a network or a pod's "
			    "namespace/name, and :tcp or :udp, and :PORT or :FIRST-LAST",
			    word);
		const struct policy_rule *rule = &policy->rules[policy->rule_count++];
		if (rule->pod == NULL && rule->peer.mask == 0 && rule->protocol == 0)
			policy->open = true;
	}
	return 0;
}

int policy_parse(enum direction direction, const char *text, struct policy **out,
                 struct failure *failure)
{
	size_t words = 0;

	for (const char *blank = text; (blank = strchr(blank, ' ')) != NULL; blank++)
		words++;
	struct policy *policy = calloc(1, sizeof(*policy) + words * sizeof(struct policy_rule));
	if (policy != NULL)
		policy->text = strdup(text);
	if (policy == NULL || policy->text == NULL) {
		policy_free(policy);
		return fail(failure, ENOMEM, "read the rules");
	}
	list_init(&policy->node);
	list_init(&policy->alike);
	policy->direction = direction;
	policy->name = policy->text;
	char *rest = strchr(policy->text, ' ');
	if (rest != NULL)
		*rest++ = '\0';
	int status =
	    policy_is_name(policy->name, true)
	        ? parse_rules(rest, policy, failure)
	        : fail_input(failure, "Bad pod '%.300s': must be namespace/name", policy->name);
	if (status < 0)
		policy_free(policy);
	else
		*out = policy;
	return status;
}

void policy_free(struct policy *policy)
{
	if (policy == NULL)
		return;
	free(policy->text);
	free(policy);
}

void policy_resolve(struct policy *policy, const char *pod, uint32_t address)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		struct policy_rule *rule = &policy->rules[i];
		if (rule->pod == NULL || strcmp(rule->pod, pod) != 0)
			continue;
		rule->peer = (struct iptables_network){.address = address, .mask = UINT32_MAX};
		rule->absent = address == 0;
	}
}

static bool allows(const struct policy_rule *rule, uint8_t protocol, uint32_t peer, uint16_t port)
{
	if (rule->absent || ((peer ^ rule->peer.address) & rule->peer.mask) != 0)
		return false;
	if (rule->protocol != 0 && rule->protocol != protocol)
		return false;
	return rule->first_port == 0 || (rule->first_port <= port && port <= rule->last_port);
}

bool policy_matches(const struct policy *policy, uint8_t protocol, uint32_t peer, uint16_t port)
{
	for (size_t i = 0; i < policy->rule_count; i++)
		if (allows(&policy->rules[i], protocol, peer, port))
			return true;
	return false;
}

/* FNV-1a of the first bytes of a name and of what comes after them. */
static uint32_t hash(const char *name, size_t length, const char *rest)
{
	uint32_t value = 2166136261;

	for (size_t i = 0; i < length; i++)
		value = (value ^ (unsigned char)name[i]) * 16777619;
	for (; *rest != '\0'; rest++)
		value = (value ^ (unsigned char)*rest) * 16777619;
	return value;
}

/* The policy of the name that these bytes and what comes after them are together, or NULL. */
static struct policy *find(const struct policy_table *table, enum direction direction,
                           const char *name, size_t length, const char *rest)
{
	const struct list *bucket =
	    &table->buckets[direction][hash(name, length, rest) % POLICY_BUCKETS];

	for (struct list *node = bucket->next; node != bucket; node = node->next) {
		struct policy *policy = list_object(node, struct policy, alike);
		if (strncmp(policy->name, name, length) == 0 &&
		    strcmp(policy->name + length, rest) == 0)
			return policy;
	}
	return NULL;
}

void policy_table_init(struct policy_table *table)
{
	list_init(&table->policies);
	for (size_t i = 0; i < DIRECTIONS; i++)
		for (size_t j = 0; j < POLICY_BUCKETS; j++)
			list_init(&table->buckets[i][j]);
	table->generation = 0;
}

void policy_table_set(struct policy_table *table, struct policy *policy)
{
	struct policy *old = policy_table_find(table, policy->direction, policy->name);
	const uint32_t key = hash("", 0, policy->name);

	if (old != NULL)
		policy_table_remove(old);
	policy->generation = table->generation;
	list_append(&table->policies, &policy->node);
	list_append(&table->buckets[policy->direction][key % POLICY_BUCKETS], &policy->alike);
}

void policy_table_remove(struct policy *policy)
{
	list_remove(&policy->node);
	list_remove(&policy->alike);
	policy_free(policy);
}

struct policy *policy_table_find(const struct policy_table *table, enum direction direction,
                                 const char *name)
{
	return find(table, direction, "", 0, name);
}

const struct policy *policy_table_of(const struct policy_table *table, enum direction direction,
                                     const char *pod)
{
	const struct policy *own = policy_table_find(table, direction, pod);

	if (own != NULL)
		return own->open ? NULL : own;
	return find(table, direction, pod, (size_t)(strchr(pod, '/') - pod) + 1, WILDCARD);
}

void policy_table_begin(struct policy_table *table)
{
	table->generation++;
}

struct policy *policy_table_stale(const struct policy_table *table)
{
	if (list_empty(&table->policies))
		return NULL;
	struct policy *oldest = list_object(table->policies.next, struct policy, node);
	return oldest->generation == table->generation ? NULL : oldest;
}
