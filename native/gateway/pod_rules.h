/*
 * The nat table of a pod's own network namespace. DROP in nat is a stateful filter: the kernel asks
 * that table about the first packet of a connection (or of a UDP flow) only, and lets the rest and
 * the answers pass by its connection tracking, gVisor's as well as Linux's. No conntrack match,
 * which gVisor lacks, is needed.
 */
#ifndef GATEWAY_POD_RULES_H
#define GATEWAY_POD_RULES_H

#include "gateway/gateway.h"
#include "gateway/pods.h"

/**
 * Lays out the rules that enforce so much of the pod's policies. Returns their number, 0 while there
 * are no policies at all, with *out to be freed; or -ENOMEM.
 */
ssize_t pod_rules(const struct gateway *gateway, const struct pod *pod, enum extent extent,
                  struct iptables_rule **out);

/** Whether two lists of rules are the same. */
bool pod_rules_equal(const struct iptables_rule *a, size_t a_count, const struct iptables_rule *b,
                     size_t b_count);

#endif
