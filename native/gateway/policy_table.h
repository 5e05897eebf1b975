/*
 * NetworkPolicies as the controller has compiled them: for each isolated pod and direction, what
 * may pass. Decisions only; pods.h knows who has which address and keeps the kernel's rules.
 */
#ifndef GATEWAY_POLICY_TABLE_H
#define GATEWAY_POLICY_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/list.h"
#include "lib/failure.h"
#include "lib/iptables.h"

enum direction { DIRECTION_INGRESS, DIRECTION_EGRESS, DIRECTIONS };

/** The peer and the ports, always the destination's, that may be spoken to. */
struct policy_rule {
	const char *pod;              /**< "namespace/name" of the peer; NULL: a network */
	struct iptables_network peer; /**< of a pod: its address while it has one */
	bool absent;                  /**< a pod that has no address: the rule allows nothing */
	uint8_t protocol;             /**< IPPROTO_TCP, IPPROTO_UDP, or 0 for any */
	uint16_t first_port;          /**< 0: any port */
	uint16_t last_port;
};

/** Isolates a pod in one direction: nothing passes but what a rule allows. */
struct policy {
	struct list node;
	struct list alike; /**< in the table's bucket of its name */
	uint64_t generation;
	enum direction direction;
	char *text; /**< what the names point into */
	/** "namespace/pod", or "namespace/ *" (without the blank) for pods that have none of their
	 * own */
	const char *name;
	bool open; /**< it allows everything: how a pod is told from others of its namespace */
	size_t rule_count;
	struct policy_rule rules[];
};

/** Enough for the pods of a node: a look-up compares a name or two. */
#define POLICY_BUCKETS 256

struct policy_table {
	struct list policies; /**< the oldest generation first */
	struct list buckets[DIRECTIONS][POLICY_BUCKETS];
	uint64_t generation;
};

/**
 * Reads "NAME [PEER[:PROTO[:FIRST[-LAST]]]...]", PEER a network such as 10.0.0.0/8 or a pod's
 * namespace/name. Returns 0 with a policy to be freed or given to policy_table_set(), or -errno
 * with the failure noted.
 */
int policy_parse(enum direction direction, const char *text, struct policy **out,
                 struct failure *failure);
void policy_free(struct policy *policy);

/** Whether the text is the name of a pod: "namespace/name", or with `wildcard` "namespace/ *". */
bool policy_is_name(const char *text, bool wildcard);

/** From now on the pod of the name has this address (host byte order); 0: it is gone. */
void policy_resolve(struct policy *policy, const char *pod, uint32_t address);

/** Whether a peer (host byte order) may be spoken to on that port of the destination. */
bool policy_matches(const struct policy *policy, uint8_t protocol, uint32_t peer, uint16_t port);

void policy_table_init(struct policy_table *table);

/** Takes the policy, in the place of one of the same name and direction. */
void policy_table_set(struct policy_table *table, struct policy *policy);

/** Removes and frees it. */
void policy_table_remove(struct policy *policy);

/** The policy of exactly that name, or NULL. */
struct policy *policy_table_find(const struct policy_table *table, enum direction direction,
                                 const char *name);

/** The policy that holds for the pod: its own, else its namespace's. NULL: not isolated. */
const struct policy *policy_table_of(const struct policy_table *table, enum direction direction,
                                     const char *pod);

/** A new generation: what is not set again in it is stale. */
void policy_table_begin(struct policy_table *table);

/** Some policy of an older generation, or NULL. */
struct policy *policy_table_stale(const struct policy_table *table);

#endif
