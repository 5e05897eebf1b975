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

/*
 * Their number does not depend on that of the Services. gVisor hands every frame of any of the
 * bridge's ports to the bridge's IP stack as well, whatever its destination, so that connections
 * between pods pass PREROUTING here: they must be left alone.
 */
struct iptables_table rules_for(const struct options *options, uint16_t port,
                                struct iptables_rule rules[RULES_MAX])
{
	const struct iptables_network pods = {
	    .address = ntohl(options->pod_cidr.address.s_addr) & cidr_mask(options->pod_cidr.prefix),
	    .mask = cidr_mask(options->pod_cidr.prefix)};
	const struct iptables_network loopback = {.address = 0x7f000000, .mask = 0xff000000};
	struct iptables_table table = rules_none();

	rules[table.rule_count++] = pass(IPTABLES_PREROUTING, pods);
	rules[table.rule_count++] = redirect(IPTABLES_PREROUTING, port);
	rules[table.rule_count++] = pass(IPTABLES_OUTPUT, loopback);
	rules[table.rule_count++] = pass(IPTABLES_OUTPUT, pods);
	rules[table.rule_count++] = redirect(IPTABLES_OUTPUT, port);
	table.rules = rules;
	return table;
}
