#include "gateway/rules.h"

#include <netinet/in.h>

static struct iptables_rule pass(enum iptables_hook hook, struct iptables_network destination)
{
	return (struct iptables_rule){.hook = hook,
	                              .protocol = IPPROTO_TCP,
	                              .destination = destination,
	                              .target = IPTABLES_RETURN};
}

static struct iptables_rule redirect(enum iptables_hook hook, uint16_t port)
{
	return (struct iptables_rule){.hook = hook,
	                              .protocol = IPPROTO_TCP,
	                              .target = IPTABLES_REDIRECT,
	                              .redirect_port = port};
}

struct iptables_table rules_none(void)
{
	return (struct iptables_table){.name = "nat"};
}

/* A whole hook's worth behind what passes: the refused first, then everything. */
static void lead(struct iptables_table *table, struct iptables_rule *rules, enum iptables_hook hook,
                 struct rules_ports ports, const struct endpoint *refused, size_t refused_count)
{
	for (size_t i = 0; i < refused_count; i++) {
		struct iptables_rule *rule = &rules[table->rule_count++];
		*rule = redirect(hook, ports.refusing);
		rule->destination =
		    (struct iptables_network){.address = refused[i].address, .mask = UINT32_MAX};
		rule->first_port = rule->last_port = refused[i].port;
	}
	rules[table->rule_count++] = redirect(hook, ports.accepting);
}

/*
 * gVisor hands every frame that comes in by any of the bridge's ports to the bridge's own IP stack as
 * well, before its port has it. Were it not dropped, the first rule to match there would decide for
 * the connection: gVisor notes it with the first packet it sees.
 */
struct iptables_table rules_for(const struct options *options, struct rules_ports ports,
                                const struct endpoint *refused, size_t refused_count,
                                struct iptables_rule rules[RULES_MAX])
{
	const struct iptables_network pods = {
	    .address = ntohl(options->pod_cidr.address.s_addr) & cidr_mask(options->pod_cidr.prefix),
	    .mask = cidr_mask(options->pod_cidr.prefix)};
	const struct iptables_network loopback = {.address = 0x7f000000, .mask = 0xff000000};
	struct iptables_table table = rules_none();

	rules[table.rule_count++] = (struct iptables_rule){.hook = IPTABLES_PREROUTING,
	                                                   .in_link = options->bridge,
	                                                   .target = IPTABLES_DROP};
	rules[table.rule_count++] = pass(IPTABLES_PREROUTING, pods);
	lead(&table, rules, IPTABLES_PREROUTING, ports, refused, refused_count);
	rules[table.rule_count++] = pass(IPTABLES_OUTPUT, loopback);
	rules[table.rule_count++] = pass(IPTABLES_OUTPUT, pods);
	lead(&table, rules, IPTABLES_OUTPUT, ports, refused, refused_count);
	table.rules = rules;
	return table;
}
