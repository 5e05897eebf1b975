#include "gateway/rules.h"

#include <netinet/in.h>

#include "lib/test/tap.h"

static const struct rules_ports ports = {.accepting = 15999, .refusing = 15998};
static struct options options = {.bridge = "cni0", .pod_cidr = {.prefix = 16}};
static struct iptables_rule rules[RULES_MAX];

static void check_redirect(const struct iptables_rule *rule, uint16_t port, const char *what)
{
	check(rule->target == IPTABLES_REDIRECT && rule->protocol == IPPROTO_TCP, "%s", what);
	check_number(rule->redirect_port, port, "to its port");
}

static void nothing_refused(void)
{
	const struct iptables_table table = rules_for(&options, ports, NULL, 0, rules);

	check_number((long)table.rule_count, 6, "six rules when nothing is refused");
	check(rules[0].hook == IPTABLES_PREROUTING && rules[0].target == IPTABLES_DROP,
	      "something is dropped");
	check_text(rules[0].in_link, "cni0", "which is what the bridge itself is shown");
	check(rules[1].hook == IPTABLES_PREROUTING && rules[1].target == IPTABLES_RETURN &&
	          rules[1].destination.address == 0x0a2a0000 &&
	          rules[1].destination.mask == 0xffff0000,
	      "between pods nothing is redirected");
	check_redirect(&rules[2], 15999, "what comes from pods is");
	check_number(rules[2].destination.mask, 0, "wherever it goes");
	check_redirect(&rules[5], 15999, "and what the node sends");
}

static void refused_first(void)
{
	const struct endpoint refused[] = {{0x0a2b0001, 80}, {0x0a2b0002, 443}};
	const struct iptables_table table = rules_for(&options, ports, refused, 2, rules);

	check_number((long)table.rule_count, 10, "two rules for each that is refused");
	check(rules[1].target == IPTABLES_RETURN, "pods pass before they are looked at");
	for (size_t i = 0; i < 2; i++) {
		const struct iptables_rule *both[] = {&rules[2 + i], &rules[7 + i]};
		for (size_t j = 0; j < 2; j++) {
			check_redirect(both[j], 15998, "a refused destination is redirected");
			check(both[j]->destination.address == refused[i].address &&
			          both[j]->destination.mask == UINT32_MAX,
			      "by its address");
			check(both[j]->first_port == refused[i].port &&
			          both[j]->last_port == refused[i].port,
			      "and its port");
		}
	}
	check(rules[2].hook == IPTABLES_PREROUTING && rules[7].hook == IPTABLES_OUTPUT,
	      "from pods and from the node");
	check_redirect(&rules[4], 15999, "everything else comes after");
}

static void as_many_as_fit(void)
{
	static const struct endpoint refused[RULES_REFUSED_MAX];
	const struct iptables_table table =
	    rules_for(&options, ports, refused, RULES_REFUSED_MAX, rules);

	check_number((long)table.rule_count, RULES_MAX, "the most that are refused fill the rules");
}

int main(void)
{
	options.pod_cidr.address.s_addr = htonl(0x0a2a0000);
	nothing_refused();
	refused_first();
	as_many_as_fit();
	return tap_done();
}
