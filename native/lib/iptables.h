/*
 * The rules of one iptables table, written as the kernel's own blob in one atomic replace. No
 * iptables program is needed, so it makes no difference which one (legacy, nft) a system has.
 * gVisor knows legacy iptables only, and of it just what can be said here:
 * https://pkg.go.dev/gvisor.dev/gvisor/pkg/sentry/socket/netfilter
 */
#ifndef LIB_IPTABLES_H
#define LIB_IPTABLES_H

#include <stdbool.h>
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
	IPTABLES_DNAT,     /**< the same */
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
	uint16_t first_source_port; /**< source ports, in the same way */
	uint16_t last_source_port;
	enum iptables_target target;
	uint16_t redirect_port; /**< of IPTABLES_REDIRECT */
	uint32_t dnat_address;  /**< of IPTABLES_DNAT; host byte order */
	uint16_t dnat_port;
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

/** A table as it was read. */
struct iptables_contents {
	enum iptables_target policy[IPTABLES_HOOKS];
	struct iptables_rule *rules; /**< to be freed */
	size_t rule_count;
};

/** gVisor takes no table whose blob is larger (maxOptLen in pkg/sentry/syscalls/linux/sys_socket.go);
 * releases before 2026 took a quarter of it. */
#define IPTABLES_SIZE_MAX (32 * 1024)

/** The size of the blob of a nat table with these rules. */
size_t iptables_nat_size(const struct iptables_rule *rules, size_t count);

/** What one more rule adds to that. */
size_t iptables_rule_size(const struct iptables_rule *rule);

/** Whether two lists of rules are the same. */
bool iptables_rules_equal(const struct iptables_rule *a, size_t a_count,
                          const struct iptables_rule *b, size_t b_count);

/**
 * Lays the table out. `hooks` is a bit per enum iptables_hook that the kernel's table of that name
 * has. Returns 0, -ENOMEM, or -EINVAL for a rule that no kernel would take: one at a hook that the
 * table lacks, ports, REDIRECT or DNAT without TCP or UDP, a port range that runs backwards, a link's name
 * that is too long. REDIRECT and DNAT at other hooks than their own end the whole sandbox
 * (https://github.com/google/gvisor/issues/14508): they are refused here.
 */
int iptables_build(const struct iptables_table *table, uint32_t hooks, struct iptables_blob *blob);

/**
 * Replaces the table in the caller's network namespace, which needs CAP_NET_ADMIN and CAP_NET_RAW
 * there. The old rules apply until the new ones do. Returns 0 or -errno with the failure noted.
 */
int iptables_replace(const struct iptables_table *table, struct failure *failure);

/** Where in the entries each hook's rules begin, and where its policy stands behind them. */
struct iptables_layout {
	uint32_t hooks; /**< a bit per enum iptables_hook */
	unsigned begin[IPTABLES_HOOKS];
	unsigned policy[IPTABLES_HOOKS];
};

/**
 * The opposite of iptables_build(), of the kernel's entries alone. Returns 0, -ENOMEM, or -EPROTO for
 * anything that iptables_build() does not lay out, or only with links.
 */
int iptables_parse(const struct iptables_layout *layout, const void *entries, size_t size,
                   struct iptables_contents *contents);

/**
 * Reads the table of the caller's network namespace. Returns 0, -EPROTO as above, or another -errno,
 * with the failure noted.
 */
int iptables_read(const char *name, struct iptables_contents *contents, struct failure *failure);

#endif
