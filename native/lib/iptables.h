/*
 * The rules of one iptables table, written as the kernel's own blob in one atomic replace. No
 * iptables program is needed, so it makes no difference which one (legacy, nft) a system has.
 * gVisor knows legacy iptables only, and of it just what can be said here:
 * https://pkg.go.dev/gvisor.dev/gvisor/pkg/sentry/socket/netfilter
 */
#ifndef LIB_IPTABLES_H
#define LIB_IPTABLES_H

#include <stddef.h>
#include <stdint.h>

#include "lib/failure.h"

/** Numbered as the kernel's NF_INET_* hooks. */
enum iptables_hook {
	IPTABLES_PREROUTING,
	IPTABLES_INPUT,
	IPTABLES_FORWARD,
	IPTABLES_OUTPUT,
	IPTABLES_POSTROUTING,
	IPTABLES_HOOKS
};

enum iptables_target {
	IPTABLES_ACCEPT,
	IPTABLES_DROP,
	IPTABLES_RETURN,
	IPTABLES_REDIRECT, /**< nat's PREROUTING and OUTPUT only, and only with a protocol */
};

/** Addresses in host byte order; a mask of 0 matches every address. */
struct iptables_network {
	uint32_t address;
	uint32_t mask;
};

struct iptables_rule {
	enum iptables_hook hook;
	const char *in_link; /**< NULL: any */
	uint8_t protocol;    /**< IPPROTO_TCP, IPPROTO_UDP, or 0 for any */
	struct iptables_network source;
	struct iptables_network destination;
	uint16_t first_port; /**< destination ports, both ends included; only with a protocol */
	uint16_t last_port;  /**< 0: any port */
	enum iptables_target target;
	uint16_t redirect_port; /**< of IPTABLES_REDIRECT */
};

struct iptables_table {
	const char *name;                         /**< "nat" or "filter" */
	enum iptables_target policy[IPTABLES_HOOKS]; /**< IPTABLES_ACCEPT or IPTABLES_DROP */
	const struct iptables_rule *rules; /**< each hook's rules apply in the order given here */
	size_t rule_count;
};

/** What setsockopt(IPT_SO_SET_REPLACE) takes: a struct ipt_replace and its entries. */
struct iptables_blob {
	void *bytes; /**< to be freed */
	size_t size;
	uint32_t entries;
};

/**
 * Lays the table out. `hooks` is a bit per enum iptables_hook that the kernel's table of that name
 * has. Returns 0, -ENOMEM, or -EINVAL for a rule that no kernel would take: one at a hook that the
 * table lacks, ports or REDIRECT without TCP or UDP, a port range that runs backwards, a link's name that is
 * too long.
 */
int iptables_build(const struct iptables_table *table, uint32_t hooks, struct iptables_blob *blob);

/**
 * Replaces the table in the caller's network namespace, which needs CAP_NET_ADMIN and CAP_NET_RAW
 * there. The old rules apply until the new ones do. Returns 0 or -errno with the failure noted.
 */
int iptables_replace(const struct iptables_table *table, struct failure *failure);

#endif
