/* The nat table of the node's network namespace: what leads connections to the gateway. */
#ifndef GATEWAY_RULES_H
#define GATEWAY_RULES_H

#include "gateway/options.h"
#include "lib/iptables.h"

#define RULES_MAX 8

/** Lays out the rules that send TCP to the gateway's port, in `rules`; the table points to them. */
struct iptables_table rules_for(const struct options *options, uint16_t port,
                                struct iptables_rule rules[RULES_MAX]);

/** The table without rules. */
struct iptables_table rules_none(void);

#endif
