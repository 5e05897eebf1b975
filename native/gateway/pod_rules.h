/*
 * The nat table of a pod's own network namespace: what policies drop, and where the direct path leads.
 * DROP in nat is a stateful filter: the kernel asks that table about the first packet of a connection
 * (or of a UDP flow) only, and lets the rest and the answers pass by its connection tracking, gVisor's
 * as well as Linux's. No conntrack match, which gVisor lacks, is needed.
 */
#ifndef GATEWAY_POD_RULES_H
#define GATEWAY_POD_RULES_H

#include "gateway/direct.h"
#include "gateway/gateway.h"
#include "gateway/pods.h"

/** What the rules of all pods are made from, found once for all of them. */
struct pod_rules_source {
	const struct gateway *gateway;
	struct direct_common common;
	/** Frontends that a client may be kept from although it is free itself. */
	const struct frontend **guarded;
	size_t guarded_count;
	/** Pods that are isolated for egress. */
	const struct pod **kept_in;
	size_t kept_in_count;
};

/** Returns 0 or -ENOMEM, with nothing to be given back. */
int pod_rules_begin(const struct gateway *gateway, struct pod_rules_source *source);
void pod_rules_end(struct pod_rules_source *source);

/**
 * Lays out the rules of so much of the pod's policies, of the direct path what fits beside them, and
 * behind all a seal. Returns their number, 0 where there is nothing to say, with *out to be freed; or
 * -ENOMEM.
 */
ssize_t pod_rules(const struct pod_rules_source *source, const struct pod *pod, enum extent extent,
                  struct iptables_rule **out);

/**
 * Whether a table is ours to replace: one without rules, or with those of a gateway, this or an
 * earlier one, as its seal shows. Whatever somebody else added, took away or changed breaks that.
 */
bool pod_rules_are_ours(const struct iptables_contents *contents);

#endif
