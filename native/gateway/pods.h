/*
 * The pods on the bridge, as the CNI plugin tells of them: who has which address, and where its
 * network namespace is. NetworkPolicies are enforced in two places: in that namespace, whose nat
 * table sees what goes from pod to pod by the bridge alone, and by policy.h for what is relayed.
 */
#ifndef GATEWAY_PODS_H
#define GATEWAY_PODS_H

#include "gateway/direct.h"
#include "gateway/list.h"
#include "gateway/loop.h"
#include "gateway/map.h"
#include "gateway/policy_table.h"
#include "lib/failure.h"
#include "lib/iptables.h"

struct gateway;

/** How much of its policies a pod's own namespace enforces. What it does not the gateway does. */
enum extent {
	EXTENT_ALL,       /**< what other pods may not say to it as well, and the direct path */
	EXTENT_OWN,       /**< a connection that is not allowed is never accepted */
	EXTENT_PODS,      /**< what goes from pod to pod; the gateway resets the others */
	EXTENT_ISOLATION, /**< nothing goes from pod to pod, whatever is allowed: a handful of rules */
};

/** What of a pod's policies is not in force in its own namespace. Others and the gateway enforce theirs
 * all the same. */
enum trouble {
	TROUBLE_NONE,
	TROUBLE_FOREIGN,  /**< nothing is: it has rules of its own */
	TROUBLE_ISOLATED, /**< more than they say: too many rules */
	TROUBLE_FAILED,   /**< its rules could not be written, and will be tried again */
};

struct pod {
	struct list node;
	char *container;  /**< its sandbox's id: a pod made anew has the name of the old one */
	char *name;       /**< "namespace/name" */
	char *netns;      /**< path */
	uint32_t address; /**< host byte order */
	const struct policy *policies[DIRECTIONS]; /**< NULL: not isolated */
	struct direct_uses uses;
	struct iptables_rule *rules; /**< that its namespace was to have when it was last written to */
	size_t rule_count;
	enum extent extent; /**< of those rules */
	bool inherited;     /**< its namespace may have rules that an earlier gateway wrote */
	bool has_own_rules; /**< it may write some itself: no direct path, which would go before them */
	bool foreign;       /**< its namespace has somebody else's rules, and none of ours */
	bool failed;        /**< to be written to, and will be tried again */
	enum trouble told;  /**< to whoever watches */
};

struct pods {
	struct policy_table policies;
	struct list pods;
	struct map by_address;
	struct policy
	    *unknown[DIRECTIONS]; /**< of pods of which the controller has not spoken yet */
	struct list owners;       /**< of rules of their own: names, whether or not there is a pod */
	bool complete;            /**< the controller has told everything once */
	bool changed;             /**< since pods_sync() */
	bool isolates_egress;     /**< some pod: who sends must be known for certain */
	bool policies_changed;    /**< since the pods' own were found again */
	struct deadline_queue retries;
	struct deadline retry; /**< of what could not be written */
	struct deadline_queue uses;
	struct deadline used; /**< a while after the first use that has no rules yet */
	int home;                 /**< the node's network namespace */
	char *journal;            /**< path of what pods_open() reads again; NULL: none is kept */
};

/** No pods, and no journal. Returns 0 or -ENOMEM. */
int pods_init(struct pods *pods);
void pods_end(struct pods *pods);

/** What of the pods' rules is not as it should be. */
struct pods_state {
	size_t direct;   /**< pods with rules of the direct path */
	size_t isolated; /**< of which more was cut off than policies say */
	size_t foreign;  /**< with rules of their own, in which no policy holds between pods */
	size_t failed;   /**< whose rules could not be written, and will be tried again */
};

/**
 * Keeps a journal from now on, after reading back the pods that an earlier gateway has left in it.
 * Their rules stay as they are, and what is relayed for them is refused, until the controller has
 * told everything. Returns 0 or -errno with the failure noted.
 */
int pods_open(struct gateway *gateway, struct failure *failure);

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

/** Takes the policy. Nobody may ask what policies say until pods_settle(). */
void pods_set_policy(struct pods *pods, struct policy *policy);

/** Returns whether there was one. Until pods_settle(), as above. */
bool pods_delete_policy(struct pods *pods, enum direction direction, const char *name);

/**
 * The pod of that name may write nat rules of its own: its own are not to find ours before them, but
 * for policies. Returns 0 or -ENOMEM.
 */
int pods_set_owner(struct pods *pods, const char *name);

/** Returns whether it was one. */
bool pods_delete_owner(struct pods *pods, const char *name);

/** Between them everything is told anew; at the end what was not told is deleted. */
void pods_begin(struct pods *pods);
void pods_commit(struct pods *pods);

/** Finds the policies of each pod again, if they changed: once for many that did. */
void pods_settle(struct pods *pods);

/**
 * Writes the rules of every pod for which others should hold by now. Where they do not fit into the
 * kernel's table, a smaller extent of them; where that table has rules of somebody else, none. Returns
 * 0, or -errno with the failure of `pod`, which may be NULL, noted; other failures are logged. What
 * failed is tried again.
 */
int pods_sync(struct gateway *gateway, const struct pod *pod, struct failure *failure);

/**
 * A client (its address in host byte order) uses the frontend by the relay: before long it will have
 * the direct path, if that is to be had.
 */
void pods_used(struct gateway *gateway, uint32_t client, const struct frontend *frontend);

struct pods_state pods_state(const struct pods *pods);

/** What a watcher is to be told of each pod, the first time: no pod without trouble. */
void pods_each_trouble(const struct pods *pods, void *data,
                       void (*tell)(void *data, const char *name, enum trouble trouble));

#endif
