#include "gateway/pod_rules.h"

#include "lib/test/tap.h"

#include <stdlib.h>

#define NODE 0x0a2a0001
#define SERVER 0x0a2a0002
#define FRIEND 0x0a2a0003
#define WEB 0x0a2b000a
#define EXTERNAL 0xc0a80001

#define SEAL "seal\n"

static struct gateway gateway;

static void attach(const char *name, uint32_t address)
{
	struct failure failure;
	char container[64], text[64];

	snprintf(container, sizeof(container), "container-of-%s", name);
	snprintf(text, sizeof(text), "%s", name);
	const struct pod pod = {
	    .container = container, .name = text, .netns = container, .address = address};
	check_number(pods_attach(&gateway.pods, &pod, &failure), 0, name);
}

static void isolate(enum direction direction, const char *text)
{
	struct policy *policy;
	struct failure failure;

	check_number(policy_parse(direction, text, &policy, &failure), 0, text);
	pods_set_policy(&gateway.pods, policy);
}

static const char *write_network(char *out, size_t size, struct iptables_network network)
{
	if (network.mask == 0)
		return "*";
	snprintf(out, size, "%08x%s", network.address, network.mask == UINT32_MAX ? "" : "/");
	return out;
}

/* One line of words such as "in 0a2a0001 RETURN", for each rule, in order. */
static void check_rules(uint32_t address, enum extent extent, const char *expected,
                        const char *what)
{
	static const char *const targets[] = {"ACCEPT", "DROP", "RETURN", "REDIRECT", "DNAT"};
	struct pod_rules_source source;
	struct iptables_rule *rules;
	char actual[2048] = "";
	size_t length = 0;

	pods_settle(&gateway.pods);
	check_number(pod_rules_begin(&gateway, &source), 0, what);
	ssize_t count = pod_rules(&source, pods_find(&gateway.pods, address), extent, &rules);
	pod_rules_end(&source);
	const struct iptables_contents contents = {.rules = rules, .rule_count = (size_t)count};
	check(pod_rules_are_ours(&contents), "and the seal is right");
	for (ssize_t i = 0; i < count; i++) {
		const struct iptables_rule *rule = &rules[i];
		if (i + 1 == count && rule->target == IPTABLES_REDIRECT) {
			length += (size_t)snprintf(actual + length, sizeof(actual) - length, SEAL);
			continue;
		}
		const bool in = rule->hook == IPTABLES_PREROUTING;
		char network[16], ports[48] = "";
		if (rule->first_source_port != 0)
			snprintf(ports, sizeof(ports), " %u-%u:%u:%u", rule->first_source_port,
			         rule->last_source_port, rule->protocol, rule->first_port);
		else if (rule->first_port != 0)
			snprintf(ports, sizeof(ports), " %u:%u-%u", rule->protocol,
			         rule->first_port, rule->last_port);
		else if (rule->protocol != 0)
			snprintf(ports, sizeof(ports), " %u", rule->protocol);
		length += (size_t)snprintf(
		    actual + length, sizeof(actual) - length, "%s %s%s %s\n", in ? "in" : "out",
		    write_network(network, sizeof(network), in ? rule->source : rule->destination),
		    ports, targets[rule->target]);
		if (rule->target == IPTABLES_DNAT)
			length += (size_t)snprintf(actual + length - 1, sizeof(actual) - length,
			                           " %08x:%u\n", rule->dnat_address,
			                           rule->dnat_port) - 1;
	}
	check_text(actual, expected, what);
	free(rules);
}

static void frontends(void)
{
	const struct endpoint server = {SERVER, 8080}, node = {NODE, 6443};

	table_set(&gateway.table, (struct frontend_key){PROTOCOL_TCP, {WEB, 80}}, 0, &server, 1);
	table_set(&gateway.table, (struct frontend_key){PROTOCOL_TCP, {WEB, 443}}, 0, &node, 1);
	table_set(&gateway.table, (struct frontend_key){PROTOCOL_TCP, {WEB, 81}}, 0, NULL, 0);
	table_set(&gateway.table, (struct frontend_key){PROTOCOL_UDP, {0, 30080}}, 0, &server, 1);
	table_set(&gateway.table, (struct frontend_key){PROTOCOL_TCP, {EXTERNAL, 80}}, 0, &server,
	          1);
}

static void set(struct frontend_key key, uint32_t affinity, const struct endpoint *endpoints,
                size_t count)
{
	check(table_set(&gateway.table, key, affinity, endpoints, count) != NULL, "a frontend");
}

static void direct_paths(void)
{
	const struct frontend_key web = {PROTOCOL_TCP, {WEB, 80}}, dns = {PROTOCOL_UDP, {WEB, 53}};
	const struct frontend_key port = {PROTOCOL_TCP, {0, 30081}};
	const struct endpoint endpoints[] = {{SERVER, 8080}, {FRIEND, 8080}, {NODE, 8080}};
	const struct endpoint outside = {0x08080808, 80};
	struct pod *client = pods_find(&gateway.pods, FRIEND);

	table_begin(&gateway.table);
	for (struct frontend *stale; (stale = table_stale(&gateway.table)) != NULL;)
		table_remove(&gateway.table, stale);
	check_rules(FRIEND, EXTENT_ALL, "", "without Services there are no rules");
	set(web, 0, endpoints, 3);
	check_rules(FRIEND, EXTENT_ALL,
	            "out 0a2b000a 16000-32511:6:80 DNAT 0a2a0002:8080\n"
	            "out 0a2b000a 32512-49023:6:80 DNAT 0a2a0003:8080\n"
	            "out 0a2b000a 6:80-80 DNAT 0a2a0001:8080\n" SEAL,
	            "each endpoint has its share of the ports, the last the others as well");
	check_rules(FRIEND, EXTENT_OWN, "", "where that fits");
	set(web, 10800, endpoints, 3);
	check_rules(FRIEND, EXTENT_ALL, "out 0a2b000a 6:80-80 DNAT 0a2a0003:8080\n" SEAL,
	            "with affinity, one endpoint has all of a client");
	set(web, 10800, endpoints, 2);
	check_rules(FRIEND, EXTENT_ALL, "out 0a2b000a 6:80-80 DNAT 0a2a0003:8080\n" SEAL,
	            "which another's going does not change");
	set(web, 10, endpoints, 3);
	check_rules(FRIEND, EXTENT_ALL, "", "but not where it is to be forgotten soon");
	set(web, 0, &outside, 1);
	check_rules(FRIEND, EXTENT_ALL, "", "what leads outside is relayed");

	set(web, 0, endpoints, 1);
	set(dns, 0, endpoints, 1);
	set((struct frontend_key){PROTOCOL_UDP, {WEB, 123}}, 0, endpoints, 1);
	set((struct frontend_key){PROTOCOL_TCP, {WEB, 81}}, 0, endpoints, 1);
	set(port, 0, endpoints, 1);
	check_rules(FRIEND, EXTENT_ALL,
	            "out 0a2b000a 17:53-53 DNAT 0a2a0002:8080\n"
	            "out 0a2b000a 6:81-81 DNAT 0a2a0002:8080\n"
	            "out 0a2b000a 6:80-80 DNAT 0a2a0002:8080\n" SEAL,
	            "DNS is first, then the newest; no other UDP, and no node port");
	check(direct_note(&client->uses, web), "a use");
	check(!direct_note(&client->uses, web), "which is noted once");
	check(direct_note(&client->uses, port), "another");
	check_rules(FRIEND, EXTENT_ALL,
	            "out 0a2a0001 6:30081-30081 DNAT 0a2a0002:8080\n"
	            "out 0a2b000a 6:80-80 DNAT 0a2a0002:8080\n"
	            "out 0a2b000a 17:53-53 DNAT 0a2a0002:8080\n"
	            "out 0a2b000a 6:81-81 DNAT 0a2a0002:8080\n" SEAL,
	            "what was used comes before all, node ports too");
	isolate(DIRECTION_EGRESS, "a/friend a/server:tcp");
	check_rules(FRIEND, EXTENT_ALL,
	            "out 0a2a0001 6:30081-30081 DNAT 0a2a0002:8080\n"
	            "out 0a2b000a 6:80-80 DNAT 0a2a0002:8080\n"
	            "out 0a2b000a 6:81-81 DNAT 0a2a0002:8080\n"
	            "out 0a2b000a 17:53-53 DROP\n"
	            "out 0a2b000a 17:123-123 DROP\n"
	            "out 0a2b0000/ RETURN\n"
	            "out 0a2a0001 RETURN\n"
	            "out 0a2a0003 RETURN\n"
	            "out 0a2a0002 6 RETURN\n"
	            "out 7f000000/ RETURN\n"
	            "out * DROP\n" SEAL,
	            "only what policies allow");
	check(pods_delete_policy(&gateway.pods, DIRECTION_EGRESS, "a/friend"), "no policy");
	client->has_own_rules = true;
	check_rules(FRIEND, EXTENT_ALL, "", "nothing goes before rules that a pod may write itself");
	client->has_own_rules = false;

	for (uint16_t i = 0; i < 300; i++)
		set((struct frontend_key){PROTOCOL_TCP, {WEB, (uint16_t)(1000 + i)}}, 0, endpoints, 3);
	for (uint16_t i = 0; i < 100; i++)
		direct_note(&client->uses,
		            (struct frontend_key){PROTOCOL_TCP, {WEB, (uint16_t)(1000 + i)}});
	struct pod_rules_source source;
	struct iptables_rule *rules;
	check_number(pod_rules_begin(&gateway, &source), 0, "many");
	ssize_t count = pod_rules(&source, client, EXTENT_ALL, &rules);
	pod_rules_end(&source);
	check(count > 140, "as many rules as fit");
	check(iptables_nat_size(rules, (size_t)count) <= IPTABLES_SIZE_MAX, "and no more");
	check_number(rules[0].first_port, 1099, "what was used last is among them");
	free(rules);
}

/* Whether a table is still ours when something happened to its rules. */
static void seals(void)
{
	struct pod_rules_source source;
	struct iptables_rule *rules;

	check_number(pod_rules_begin(&gateway, &source), 0, "rules");
	const size_t count = (size_t)pod_rules(
	    &source, pods_find(&gateway.pods, SERVER), EXTENT_ALL, &rules);
	pod_rules_end(&source);
	struct iptables_contents contents = {.rules = rules, .rule_count = count};
	check(pod_rules_are_ours(&contents), "a table of ours is");
	contents.rule_count--;
	check(!pod_rules_are_ours(&contents), "not without its seal");
	contents.rule_count++;
	rules[0].dnat_port++;
	check(!pod_rules_are_ours(&contents), "not with another rule");
	rules[0].dnat_port--;
	contents.policy[IPTABLES_OUTPUT] = IPTABLES_DROP;
	check(!pod_rules_are_ours(&contents), "not with another policy");
	contents = (struct iptables_contents){0};
	check(pod_rules_are_ours(&contents), "an empty one is anybody's");
	free(rules);
}

int main(void)
{
	struct failure failure;

	check_number(cidr_parse("10.42.0.0/16", &gateway.options.pod_cidr), 0, "pods");
	check_number(cidr_parse("10.43.0.0/16", &gateway.options.service_cidr), 0, "services");
	gateway.options.bridge_address = NODE;
	table_init(&gateway.table);
	check_number(pods_init(&gateway.pods), 0, "pods");
	const struct pod early = {.container = (char[]){"c"}, .name = (char[]){"a/early"}};
	check(pods_attach(&gateway.pods, &early, &failure) < 0, "nobody comes before the policies");
	pods_begin(&gateway.pods);
	pods_commit(&gateway.pods);
	attach("a/server", SERVER);
	attach("a/friend", FRIEND);
	frontends();
	check_rules(SERVER, EXTENT_ALL, "", "without policies there are no rules");

	isolate(DIRECTION_INGRESS, "a/server a/friend:tcp:8080-8081 a/nobody 8.0.0.0/8");
	check_rules(SERVER, EXTENT_ALL,
	            "in 0a2a0001 RETURN\n"
	            "in 0a2a0002 RETURN\n"
	            "in 0a2a0003 6:8080-8081 RETURN\n"
	            "in 0a2a0000/ DROP\n" SEAL,
	            "an isolated pod lets the node in, itself, and whom it may of the bridge");
	check_rules(SERVER, EXTENT_ISOLATION,
	            "in 0a2a0001 RETURN\n"
	            "in 0a2a0002 RETURN\n"
	            "in 0a2a0000/ DROP\n" SEAL,
	            "at worst only the first two");
	check_rules(FRIEND, EXTENT_ALL, "out 0a2a0001 17:30080-30080 DROP\n" SEAL,
	            "a client drops what no endpoint of a frontend would take");

	isolate(DIRECTION_INGRESS, "a/server");
	check_rules(FRIEND, EXTENT_ALL,
	            "out 0a2b000a 6:80-80 DROP\n"
	            "out 0a2a0001 17:30080-30080 DROP\n"
	            "out c0a80001 6:80-80 DROP\n" SEAL,
	            "which is all of them when nobody is let in");

	isolate(DIRECTION_INGRESS, "a/server 0.0.0.0/0");
	isolate(DIRECTION_EGRESS, "a/friend 10.42.0.2/32:tcp 8.8.8.0/24");
	check_rules(FRIEND, EXTENT_ALL,
	            "out 0a2a0001 17:30080-30080 DROP\n"
	            "out c0a80001 6:80-80 RETURN\n"
	            "out 0a2b0000/ RETURN\n"
	            "out 0a2a0001 RETURN\n"
	            "out 0a2a0003 RETURN\n"
	            "out 0a2a0002 6 RETURN\n"
	            "out 08080800/ RETURN\n"
	            "out 7f000000/ RETURN\n"
	            "out * DROP\n" SEAL,
	            "who is kept in reaches the frontends with an endpoint for it");
	check_rules(FRIEND, EXTENT_PODS,
	            "out 0a2a0001 RETURN\n"
	            "out 0a2a0003 RETURN\n"
	            "out 0a2a0002 6 RETURN\n"
	            "out 7f000000/ RETURN\n"
	            "out 0a2a0000/ DROP\n" SEAL,
	            "where that is too much, what concerns other pods is left");
	check_rules(FRIEND, EXTENT_ISOLATION,
	            "out 0a2a0001 RETURN\n"
	            "out 0a2a0003 RETURN\n"
	            "out 7f000000/ RETURN\n"
	            "out 0a2a0000/ DROP\n" SEAL,
	            "at worst none of them");

	isolate(DIRECTION_EGRESS, "a/friend");
	table_remove(&gateway.table,
	             table_find(&gateway.table, (struct frontend_key){PROTOCOL_TCP, {WEB, 81}}));
	table_remove(&gateway.table,
	             table_find(&gateway.table, (struct frontend_key){PROTOCOL_TCP, {WEB, 443}}));
	check_rules(FRIEND, EXTENT_ALL,
	            "out 0a2a0001 17:30080-30080 DROP\n"
	            "out c0a80001 6:80-80 DROP\n"
	            "out 0a2b0000/ DROP\n"
	            "out 0a2a0001 RETURN\n"
	            "out 0a2a0003 RETURN\n"
	            "out 7f000000/ RETURN\n"
	            "out * DROP\n" SEAL,
	            "or none of them");

	isolate(DIRECTION_EGRESS, "a/friend");
	check_rules(SERVER, EXTENT_ALL, "in 0a2a0003 DROP\n" SEAL,
	            "who is kept in is kept out as well, where nothing passes by its own rules");
	check_rules(SERVER, EXTENT_OWN, SEAL, "as far as there is room");
	isolate(DIRECTION_EGRESS, "a/friend a/server");
	check_rules(SERVER, EXTENT_ALL, SEAL, "but not from what it may reach");
	isolate(DIRECTION_EGRESS, "a/friend a/server:tcp");
	check_rules(SERVER, EXTENT_ALL, "in 0a2a0003 17 DROP\n" SEAL, "by the one protocol");
	isolate(DIRECTION_EGRESS, "a/friend a/server:tcp:80-81 10.0.0.0/8:tcp:82 a/server:tcp:90 "
	                          "a/server:udp:1-65535 8.8.8.8/32:tcp:7");
	check_rules(SERVER, EXTENT_ALL,
	            "in 0a2a0003 6:1-79 DROP\n"
	            "in 0a2a0003 6:83-89 DROP\n"
	            "in 0a2a0003 6:91-65535 DROP\n" SEAL,
	            "or on the ports between those");
	isolate(DIRECTION_INGRESS, "a/server a/friend");
	check_rules(SERVER, EXTENT_ALL,
	            "in 0a2a0003 6:1-79 DROP\n"
	            "in 0a2a0003 6:83-89 DROP\n"
	            "in 0a2a0003 6:91-65535 DROP\n"
	            "in 0a2a0001 RETURN\n"
	            "in 0a2a0002 RETURN\n"
	            "in 0a2a0003 RETURN\n"
	            "in 0a2a0000/ DROP\n" SEAL,
	            "before its own policies let it in");
	gateway.options.nodes[0].address = 0x0a2a0101;
	gateway.options.node_count = 1;
	check_rules(SERVER, EXTENT_ISOLATION,
	            "in 0a2a0001 RETURN\n"
	            "in 0a2a0101 RETURN\n"
	            "in 0a2a0002 RETURN\n"
	            "in 0a2a0000/ DROP\n" SEAL,
	            "other nodes are let in as its own is");
	gateway.options.node_count = 0;

	pods_begin(&gateway.pods);
	pods_commit(&gateway.pods);
	gateway.options.direct = true;
	direct_paths();
	seals();

	table_begin(&gateway.table);
	for (struct frontend *stale; (stale = table_stale(&gateway.table)) != NULL;)
		table_remove(&gateway.table, stale);
	map_free(&gateway.table.by_key);
	pods_end(&gateway.pods);
	return tap_done();
}
