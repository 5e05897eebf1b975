#include "gateway/pod_rules.h"

#include "lib/test/tap.h"

#include <stdlib.h>

#define NODE 0x0a2a0001
#define SERVER 0x0a2a0002
#define FRIEND 0x0a2a0003
#define WEB 0x0a2b000a
#define EXTERNAL 0xc0a80001

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
	static const char *const targets[] = {"ACCEPT", "DROP", "RETURN", "REDIRECT"};
	struct iptables_rule *rules;
	ssize_t count = pod_rules(&gateway, pods_find(&gateway.pods, address), extent, &rules);
	char actual[2048] = "";
	size_t length = 0;

	for (ssize_t i = 0; i < count; i++) {
		const struct iptables_rule *rule = &rules[i];
		const bool in = rule->hook == IPTABLES_PREROUTING;
		char network[16], ports[32] = "";
		if (rule->first_port != 0)
			snprintf(ports, sizeof(ports), " %u:%u-%u", rule->protocol,
			         rule->first_port, rule->last_port);
		length += (size_t)snprintf(
		    actual + length, sizeof(actual) - length, "%s %s%s %s\n", in ? "in" : "out",
		    write_network(network, sizeof(network), in ? rule->source : rule->destination),
		    ports, targets[rule->target]);
	}
	check_text(actual, expected, what);
	free(rules);
}

#define TRACKING "in 00000000 REDIRECT\n"

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
	            "in 0a2a0000/ DROP\n" TRACKING,
	            "an isolated pod lets the node in, itself, and whom it may of the bridge");
	check_rules(SERVER, EXTENT_ISOLATION,
	            "in 0a2a0001 RETURN\n"
	            "in 0a2a0002 RETURN\n"
	            "in 0a2a0000/ DROP\n" TRACKING,
	            "at worst only the first two");
	check_rules(FRIEND, EXTENT_ALL, "out 0a2a0001 17:30080-30080 DROP\n" TRACKING,
	            "a client drops what no endpoint of a frontend would take");

	isolate(DIRECTION_INGRESS, "a/server");
	check_rules(FRIEND, EXTENT_ALL,
	            "out 0a2a0001 17:30080-30080 DROP\n"
	            "out c0a80001 6:80-80 DROP\n"
	            "out 0a2b000a 6:80-80 DROP\n" TRACKING,
	            "which is all of them when nobody is let in");

	isolate(DIRECTION_INGRESS, "a/server 0.0.0.0/0");
	isolate(DIRECTION_EGRESS, "a/friend 10.42.0.2/32:tcp 8.8.8.0/24");
	check_rules(FRIEND, EXTENT_ALL,
	            "out 0a2a0001 17:30080-30080 DROP\n"
	            "out c0a80001 6:80-80 RETURN\n"
	            "out 0a2b0000/ RETURN\n"
	            "out 0a2a0001 RETURN\n"
	            "out 0a2a0003 RETURN\n"
	            "out 0a2a0002 RETURN\n"
	            "out 08080800/ RETURN\n"
	            "out 7f000000/ RETURN\n"
	            "out * DROP\n" TRACKING,
	            "who is kept in reaches the frontends with an endpoint for it");
	check_rules(FRIEND, EXTENT_PODS,
	            "out 0a2a0001 RETURN\n"
	            "out 0a2a0003 RETURN\n"
	            "out 0a2a0002 RETURN\n"
	            "out 7f000000/ RETURN\n"
	            "out 0a2a0000/ DROP\n" TRACKING,
	            "where that is too much, what concerns other pods is left");
	check_rules(FRIEND, EXTENT_ISOLATION,
	            "out 0a2a0001 RETURN\n"
	            "out 0a2a0003 RETURN\n"
	            "out 7f000000/ RETURN\n"
	            "out 0a2a0000/ DROP\n" TRACKING,
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
	            "out * DROP\n" TRACKING,
	            "or none of them");

	table_begin(&gateway.table);
	for (struct frontend *stale; (stale = table_stale(&gateway.table)) != NULL;)
		table_remove(&gateway.table, stale);
	map_free(&gateway.table.by_key);
	pods_end(&gateway.pods);
	return tap_done();
}
