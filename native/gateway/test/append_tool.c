/*
 * append PORT TO: adds a rule to nat's OUTPUT behind those that are there, as iptables -A does in the
 * init container of a mesh: TCP to PORT goes to port TO of this machine.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/die.h"
#include "lib/iptables.h"
#include "lib/number.h"

static uint16_t port_of(const char *text)
{
	unsigned long port;

	if (number_parse(text, 10, UINT16_MAX, &port) != 0)
		die_usage("Bad port '%s'", text);
	return (uint16_t)port;
}

int main(int argc, char **argv)
{
	struct iptables_contents contents;
	struct failure failure;

	if (argc != 3)
		die_usage("usage: append PORT TO");
	if (iptables_read("nat", &contents, &failure) < 0)
		die(&failure);
	struct iptables_rule *rules = calloc(contents.rule_count + 1, sizeof(*rules));
	if (rules == NULL)
		die_errno("append a rule");
	if (contents.rule_count > 0)
		memcpy(rules, contents.rules, contents.rule_count * sizeof(*rules));
	const uint16_t port = port_of(argv[1]);
	rules[contents.rule_count] = (struct iptables_rule){.hook = IPTABLES_OUTPUT,
	                                                    .protocol = IPPROTO_TCP,
	                                                    .first_port = port,
	                                                    .last_port = port,
	                                                    .target = IPTABLES_REDIRECT,
	                                                    .redirect_port = port_of(argv[2])};
	const struct iptables_table table = {
	    .name = "nat", .rules = rules, .rule_count = contents.rule_count + 1};
	if (iptables_replace(&table, &failure) < 0)
		die(&failure);
	free(rules);
	free(contents.rules);
	return 0;
}
