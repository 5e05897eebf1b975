#include "probe/probe.h"

#include "lib/iptables.h"

#include <netinet/in.h>

/*
 * Redirection to the gateway. In gVisor iptables needs CAP_NET_RAW besides CAP_NET_ADMIN, and says
 * "Table does not exist" without it.
 */
int probe_iptables_nat(struct attempt *attempt)
{
	const struct iptables_rule rule = {
	    .hook = IPTABLES_PREROUTING,
	    .protocol = IPPROTO_TCP,
	    .target = IPTABLES_REDIRECT,
	    .redirect_port = 1,
	};
	const struct iptables_table table = {.name = "nat", .rules = &rule, .rule_count = 1};

	return iptables_replace(&table, &attempt->failure);
}
