/*
 * The pods on the bridge, as the CNI plugin tells of them: who has which address, and where its
 * network namespace is. NetworkPolicies are enforced in two places: in that namespace, whose nat
 * table sees what goes from pod to pod by the bridge alone, and by policy.h for what is relayed.
 */
#ifndef GATEWAY_PODS_H
#define GATEWAY_PODS_H

#include "gateway/list.h"
#include "gateway/map.h"
#include "gateway/policy_table.h"
#include "lib/failure.h"
#include "lib/iptables.h"

struct gateway;

/** How much of its policies a pod's own namespace enforces. What it does not the gateway does. */
enum extent {
	EXTENT_ALL,       /**< a connection that is not allowed is never accepted */
	EXTENT_PODS,      /**< what goes from pod to pod; the gateway resets the others */
	EXTENT_ISOLATION, /**< nothing goes from pod to pod, whatever is allowed: a handful of rules */
};

struct pod {
	struct list node;
	char *container;  /**< its sandbox's id: a pod made anew has the name of the old one */
	char *name;       /**< "namespace/name" */
	char *netns;      /**< path */
	uint32_t address; /**< host byte order */
	const struct policy *policies[DIRECTIONS]; /**< NULL: not isolated */
	struct iptables_rule *rules;               /**< in its namespace, by this gateway */
	size_t rule_count;
	enum extent extent; /**< of those rules */
	bool inherited; /**< its namespace may have rules that an earlier gateway wrote */
};

struct pods {
	struct policy_table policies;
	struct list pods;
	struct map by_address;
	struct policy
	    *unknown[DIRECTIONS]; /**< of pods of which the controller has not spoken yet */
	bool complete;            /**< the controller has told everything once */
	bool changed;             /**< since pods_sync() */
	bool isolates_egress;     /**< some pod: who sends must be known for certain */
	int home;                 /**< the node's network namespace */
	char *journal;            /**< path of what pods_open() reads again; NULL: none is kept */
};

/** No pods, and no journal. Returns 0 or -ENOMEM. */
int pods_init(struct pods *pods);
void pods_end(struct pods *pods);

/**
 * Keeps a journal from now on, after reading back the pods that an earlier gateway has left in it.
 * Their rules stay as they are, and what is relayed for them is refused, until the controller has
 * told everything. Returns 0 or -errno with the failure noted.
 */
int pods_open(struct pods *pods, const char *control, struct failure *failure);

/** The pod of the address (host byte order), or NULL. */
struct pod *pods_find(const struct pods *pods, uint32_t address);

/** The address of the container's pod, or 0. */
uint32_t pods_address(const struct pods *pods, const char *container);

/**
 * A pod has come, before anything runs in it. Whatever had its container or address before is
 * gone. pods_sync() puts its policies in force. Returns 0, or -errno with the failure noted:
 * -EAGAIN before the controller has told everything.
 */
int pods_attach(struct pods *pods, const struct pod *pod, struct failure *failure);

/** The container's pod is gone; nothing to forget is no error. 0 or -errno as above. */
int pods_detach(struct pods *pods, const char *container, struct failure *failure);

/** Takes the policy. */
void pods_set_policy(struct pods *pods, struct policy *policy);

/** Returns whether there was one. */
bool pods_delete_policy(struct pods *pods, enum direction direction, const char *name);

/** Between them everything is told anew; at the end what was not told is deleted. */
void pods_begin(struct pods *pods);
void pods_commit(struct pods *pods);

/**
 * Writes the rules of every pod for which others should hold by now. Where they do not fit into the
 * kernel's table, a smaller extent of them. Returns 0, or -errno with the failure of `pod`, which
 * may be NULL, noted; other failures are logged.
 */
int pods_sync(struct gateway *gateway, const struct pod *pod, struct failure *failure);

#endif
