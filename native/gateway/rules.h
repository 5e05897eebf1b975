/* The nat table of the node's network namespace: what leads connections to the gateway. */
#ifndef GATEWAY_RULES_H
#define GATEWAY_RULES_H

#include "gateway/options.h"
#include "lib/iptables.h"

/**
 * How many destinations can be refused by rule. gVisor walks the rules once for each new connection
 * that is not a pod's to a pod, and takes no table of more than 32 KiB (maxOptLen in
 * pkg/sentry/syscalls/linux/sys_socket.go): 72 of these.
 */
#define RULES_REFUSED_MAX 64

#define RULES_MAX (6 + 2 * RULES_REFUSED_MAX)

/** Where the rules lead TCP to. */
struct rules_ports {
	uint16_t accepting;
	uint16_t refusing; /**< one on which nobody listens */
};

/**
 * Lays out the rules in `rules`, to which the table points: TCP goes to the accepting port, that to
 * one of the refused destinations (at most RULES_REFUSED_MAX) to the refusing port.
 */
struct iptables_table rules_for(const struct options *options, struct rules_ports ports,
                                const struct endpoint *refused, size_t refused_count,
                                struct iptables_rule rules[RULES_MAX]);

/** The table without rules. */
struct iptables_table rules_none(void);

#endif
