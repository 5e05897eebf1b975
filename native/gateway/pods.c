#include "gateway/pods.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/control.h"
#include "gateway/gateway.h"
#include "gateway/log.h"
#include "gateway/pod_journal.h"
#include "gateway/pod_rules.h"
#include "gateway/redirection.h"
#include "lib/cleanup.h"
#include "lib/die.h"

/* A pod that may have rules of its own. */
struct owner {
	struct list node;
	uint64_t generation;
	char name[];
};

/* Milliseconds until what failed is tried again. */
#define RETRY_DELAY 1000

/* Milliseconds in which the first uses of many Services are one change of the rules. */
#define USES_DELAY 20

static void retry_expired(struct deadline *deadline);
static void used_expired(struct deadline *deadline);

int pods_init(struct pods *pods)
{
	struct failure failure;

	*pods = (struct pods){.home = -1};
	policy_table_init(&pods->policies);
	list_init(&pods->pods);
	list_init(&pods->owners);
	deadline_init(&pods->retry, retry_expired);
	deadline_init(&pods->used, used_expired);
	for (size_t i = 0; i < DIRECTIONS; i++)
		if (policy_parse((enum direction)i, "unknown/*", &pods->unknown[i], &failure) < 0)
			return -ENOMEM;
	return 0;
}

static void forget(struct pods *pods, struct pod *pod)
{
	list_remove(&pod->node);
	map_remove(&pods->by_address, pod->address);
	free(pod->container);
	free(pod->name);
	free(pod->netns);
	free(pod->rules);
	free(pod);
}

static void forget_owner(struct owner *owner)
{
	list_remove(&owner->node);
	free(owner);
}

void pods_end(struct pods *pods)
{
	while (!list_empty(&pods->owners))
		forget_owner(list_object(pods->owners.next, struct owner, node));
	while (!list_empty(&pods->pods))
		forget(pods, list_object(pods->pods.next, struct pod, node));
	while (!list_empty(&pods->policies.policies))
		policy_table_remove(list_object(pods->policies.policies.next, struct policy, node));
	for (size_t i = 0; i < DIRECTIONS; i++)
		policy_free(pods->unknown[i]);
	map_free(&pods->by_address);
	free(pods->journal);
	if (pods->home >= 0)
		close(pods->home);
}

struct pod *pods_find(const struct pods *pods, uint32_t address)
{
	return map_get(&pods->by_address, address);
}

static struct pod *find_name(const struct pods *pods, const char *name)
{
	/* The newest of a name comes last. */
	for (struct list *node = pods->pods.previous; node != &pods->pods; node = node->previous) {
		struct pod *pod = list_object(node, struct pod, node);
		if (strcmp(pod->name, name) == 0)
			return pod;
	}
	return NULL;
}

static struct owner *find_owner(const struct pods *pods, const char *name)
{
	for (struct list *node = pods->owners.next; node != &pods->owners; node = node->next) {
		struct owner *owner = list_object(node, struct owner, node);
		if (strcmp(owner->name, name) == 0)
			return owner;
	}
	return NULL;
}

static struct pod *find_container(const struct pods *pods, const char *container)
{
	for (struct list *node = pods->pods.next; node != &pods->pods; node = node->next) {
		struct pod *pod = list_object(node, struct pod, node);
		if (strcmp(pod->container, container) == 0)
			return pod;
	}
	return NULL;
}

uint32_t pods_address(const struct pods *pods, const char *container)
{
	const struct pod *pod = find_container(pods, container);

	return pod == NULL ? 0 : pod->address;
}

/* Whoever is called so has come or gone: every rule that names it is about another address now. */
static void resolve(struct pods *pods, const char *name)
{
	const struct pod *pod = find_name(pods, name);
	const struct list *policies = &pods->policies.policies;

	for (struct list *node = policies->next; node != policies; node = node->next)
		policy_resolve(list_object(node, struct policy, node), name,
		               pod == NULL ? 0 : pod->address);
	pods->changed = true;
}

static void apply(struct pods *pods, struct pod *pod)
{
	for (size_t i = 0; i < DIRECTIONS; i++)
		pod->policies[i] =
		    pods->complete ? policy_table_of(&pods->policies, (enum direction)i, pod->name)
		                   : pods->unknown[i];
	if (pod->policies[DIRECTION_EGRESS] != NULL)
		pods->isolates_egress = true;
}

void pods_settle(struct pods *pods)
{
	if (!pods->policies_changed)
		return;
	pods->policies_changed = false;
	pods->isolates_egress = false;
	for (struct list *node = pods->pods.next; node != &pods->pods; node = node->next)
		apply(pods, list_object(node, struct pod, node));
}

static void policies_changed(struct pods *pods)
{
	pods->policies_changed = true;
	pods->changed = true;
}

static void remove_pod(struct pods *pods, struct pod *pod)
{
	struct gateway *gateway = list_object(pods, struct gateway, pods);
	cleanup_free char *name = pod->name;

	if (pod->told != TROUBLE_NONE)
		control_tell(gateway->control, name, TROUBLE_NONE);
	pod->name = NULL;
	forget(pods, pod);
	resolve(pods, name);
}

static struct pod *copy_of(const struct pod *pod)
{
	struct pod *copy = calloc(1, sizeof(*copy));

	if (copy == NULL)
		return NULL;
	list_init(&copy->node);
	copy->address = pod->address;
	copy->inherited = pod->inherited;
	copy->container = strdup(pod->container);
	copy->name = strdup(pod->name);
	copy->netns = strdup(pod->netns);
	if (copy->container != NULL && copy->name != NULL && copy->netns != NULL)
		return copy;
	free(copy->container);
	free(copy->name);
	free(copy->netns);
	free(copy);
	return NULL;
}

static int add_pod(struct pods *pods, const struct pod *pod)
{
	struct pod *old = find_container(pods, pod->container);

	if (old != NULL)
		remove_pod(pods, old);
	old = pods_find(pods, pod->address);
	if (old != NULL)
		remove_pod(pods, old);
	struct pod *copy = copy_of(pod);
	if (copy == NULL)
		return -ENOMEM;
	if (map_set(&pods->by_address, copy->address, copy) < 0) {
		forget(pods, copy);
		return -ENOMEM;
	}
	list_append(&pods->pods, &copy->node);
	copy->has_own_rules = find_owner(pods, copy->name) != NULL;
	apply(pods, copy);
	resolve(pods, copy->name);
	return 0;
}

int pods_open(struct gateway *gateway, struct failure *failure)
{
	struct pods *pods = &gateway->pods;

	deadline_queue_init(&gateway->loop, &pods->retries, RETRY_DELAY);
	deadline_queue_init(&gateway->loop, &pods->uses, USES_DELAY);
	pods->home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (pods->home < 0)
		return fail(failure, errno, "open the node's network namespace");
	if (asprintf(&pods->journal, "%s.pods", gateway->options.control) < 0) {
		pods->journal = NULL;
		return fail(failure, ENOMEM, "keep a journal of pods");
	}
	return pod_journal_read(pods->journal, pods, add_pod, failure);
}

int pods_attach(struct pods *pods, const struct pod *pod, struct failure *failure)
{
	if (!pods->complete) {
		fail_input(failure, "The controller has not told the policies yet");
		return -EAGAIN;
	}
	int status = add_pod(pods, pod);
	if (status < 0)
		return fail(failure, -status, "attach %s", pod->name);
	return pod_journal_write(pods->journal, pods, failure);
}

int pods_detach(struct pods *pods, const char *container, struct failure *failure)
{
	struct pod *pod = find_container(pods, container);

	if (pod == NULL)
		return 0;
	remove_pod(pods, pod);
	return pod_journal_write(pods->journal, pods, failure);
}

void pods_set_policy(struct pods *pods, struct policy *policy)
{
	for (struct list *node = pods->pods.next; node != &pods->pods; node = node->next) {
		const struct pod *pod = list_object(node, struct pod, node);
		policy_resolve(policy, pod->name, pod->address);
	}
	policy_table_set(&pods->policies, policy);
	policies_changed(pods);
}

bool pods_delete_policy(struct pods *pods, enum direction direction, const char *name)
{
	struct policy *policy = policy_table_find(&pods->policies, direction, name);

	if (policy == NULL)
		return false;
	policy_table_remove(policy);
	policies_changed(pods);
	return true;
}

static void mark(struct pods *pods, const char *name, bool has_own_rules)
{
	struct pod *pod = find_name(pods, name);

	if (pod == NULL || pod->has_own_rules == has_own_rules)
		return;
	pod->has_own_rules = has_own_rules;
	pods->changed = true;
}

int pods_set_owner(struct pods *pods, const char *name)
{
	struct owner *owner = find_owner(pods, name);

	if (owner == NULL) {
		owner = calloc(1, sizeof(*owner) + strlen(name) + 1);
		if (owner == NULL)
			return -ENOMEM;
		strcpy(owner->name, name);
		list_append(&pods->owners, &owner->node);
		mark(pods, name, true);
	}
	owner->generation = pods->policies.generation;
	return 0;
}

static void remove_owner(struct pods *pods, struct owner *owner)
{
	mark(pods, owner->name, false);
	forget_owner(owner);
}

bool pods_delete_owner(struct pods *pods, const char *name)
{
	struct owner *owner = find_owner(pods, name);

	if (owner != NULL)
		remove_owner(pods, owner);
	return owner != NULL;
}

static void remove_stale_owners(struct pods *pods)
{
	for (struct list *node = pods->owners.next; node != &pods->owners;) {
		struct owner *owner = list_object(node, struct owner, node);
		node = node->next;
		if (owner->generation != pods->policies.generation)
			remove_owner(pods, owner);
	}
}

void pods_begin(struct pods *pods)
{
	policy_table_begin(&pods->policies);
}

void pods_commit(struct pods *pods)
{
	for (struct policy *stale; (stale = policy_table_stale(&pods->policies)) != NULL;)
		policy_table_remove(stale);
	remove_stale_owners(pods);
	pods->complete = true;
	policies_changed(pods);
	pods_settle(pods);
}

/* Replaces the table, unless somebody else has rules in it. */
static int replace_ours(const struct iptables_table *table, bool *foreign, struct failure *failure)
{
	struct iptables_contents contents;
	int status = iptables_read(table->name, &contents, failure);

	*foreign = status == -EPROTO;
	if (status < 0)
		return *foreign ? 0 : status;
	*foreign = !pod_rules_are_ours(&contents);
	free(contents.rules);
	return *foreign ? 0 : iptables_replace(table, failure);
}

/* Replaces the nat table of another network namespace, from within it. */
static int replace_in(int home, const char *netns, const struct iptables_rule *rules, size_t count,
                      bool *foreign, struct failure *failure)
{
	const struct iptables_table table = {.name = "nat", .rules = rules, .rule_count = count};
	/* Not to wait for whoever would open a FIFO of that name. */
	cleanup_fd int fd = open(netns, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return fail(failure, errno, "open network namespace %s", netns);
	if (setns(fd, CLONE_NEWNET) != 0)
		return fail(failure, errno, "enter network namespace %s", netns);
	int status = replace_ours(&table, foreign, failure);
	if (setns(home, CLONE_NEWNET) != 0)
		die_errno("return to the node's network namespace");
	return status;
}

static void note_foreign(struct pod *pod, bool foreign)
{
	if (foreign && !pod->foreign)
		log_line("%s has nat rules of its own: they are left alone, and what policies say "
		         "about it and other pods is not enforced there",
		         pod->name);
	pod->foreign = foreign;
}

/* Returns 0, also where nothing had to be written, or -errno with the failure noted. */
static int write_rules(const struct pod_rules_source *source, struct pod *pod, enum extent extent,
                       struct failure *failure)
{
	struct iptables_rule *rules;
	bool foreign = false;
	ssize_t count = pod_rules(source, pod, extent, &rules);

	if (count < 0)
		return fail(failure, (int)-count, "lay out the rules of %s", pod->name);
	if (!pod->inherited &&
	    iptables_rules_equal(rules, (size_t)count, pod->rules, pod->rule_count)) {
		free(rules);
		return 0;
	}
	int status = replace_in(source->gateway->pods.home, pod->netns, rules, (size_t)count,
	                        &foreign, failure);
	if (status < 0) {
		free(rules);
		return status;
	}
	note_foreign(pod, foreign);
	free(pod->rules);
	pod->rules = rules;
	pod->rule_count = (size_t)count;
	pod->inherited = false;
	return 0;
}

static int sync_pod(const struct pod_rules_source *source, struct pod *pod, struct failure *failure)
{
	static const char *const consequences[] = {
	    [EXTENT_ALL] = "without direct paths",
	    [EXTENT_OWN] = "what is not allowed to reach Services or the outside is reset",
	    [EXTENT_PODS] = "isolated entirely from the bridge"};

	enum extent extent = EXTENT_ALL;
	int status;

	while ((status = write_rules(source, pod, extent, failure)) < 0 &&
	       extent < EXTENT_ISOLATION) {
		/* Gone, and its DEL is on its way. */
		if (status == -ENOENT)
			return status;
		if (extent >= pod->extent)
			log_line("%s; %s: %s", failure->message, pod->name, consequences[extent]);
		extent++;
	}
	pod->extent = extent;
	return status;
}

static enum trouble trouble_of(const struct pod *pod)
{
	if (pod->failed)
		return TROUBLE_FAILED;
	if (pod->foreign)
		return TROUBLE_FOREIGN;
	return pod->extent == EXTENT_ISOLATION ? TROUBLE_ISOLATED : TROUBLE_NONE;
}

static void tell(struct gateway *gateway, struct pod *pod)
{
	const enum trouble trouble = trouble_of(pod);

	if (trouble != pod->told)
		control_tell(gateway->control, pod->name, trouble);
	pod->told = trouble;
}

void pods_each_trouble(const struct pods *pods, void *data,
                       void (*tell_of)(void *data, const char *name, enum trouble trouble))
{
	for (struct list *node = pods->pods.next; node != &pods->pods; node = node->next) {
		const struct pod *pod = list_object(node, struct pod, node);
		if (pod->told != TROUBLE_NONE)
			tell_of(data, pod->name, pod->told);
	}
}

static int sync_all(struct gateway *gateway, const struct pod_rules_source *source,
                    const struct pod *about, bool *isolation_changed, struct failure *failure)
{
	struct pods *pods = &gateway->pods;
	int result = 0;

	for (struct list *node = pods->pods.next; node != &pods->pods; node = node->next) {
		struct pod *pod = list_object(node, struct pod, node);
		const bool failed = pod->failed, isolated = pod->extent == EXTENT_ISOLATION;
		struct failure own;
		int status = sync_pod(source, pod, &own);
		*isolation_changed |= isolated != (pod->extent == EXTENT_ISOLATION);
		pod->failed = status < 0 && status != -ENOENT;
		tell(gateway, pod);
		if (status == 0)
			continue;
		pods->changed = pods->changed || pod->failed;
		if (pod == about) {
			*failure = own;
			result = status;
		} else if (!failed) {
			log_line("%s", own.message);
		}
	}
	return result;
}

int pods_sync(struct gateway *gateway, const struct pod *about, struct failure *failure)
{
	struct pods *pods = &gateway->pods;
	struct pod_rules_source source;

	pods_settle(pods);
	if (!pods->changed || !pods->complete)
		return 0;
	int status = pod_rules_begin(gateway, &source);
	if (status < 0) {
		deadline_set(&gateway->loop, &pods->retries, &pods->retry);
		return fail(failure, -status, "lay out the rules of pods");
	}
	/* Twice at most: which pods are isolated entirely shows in the first turn, and no direct path may
	 * lead there. */
	bool again = true;
	for (int turn = 0; turn < 2 && again; turn++) {
		again = false;
		pods->changed = false;
		status = sync_all(gateway, &source, about, &again, failure);
	}
	pod_rules_end(&source);
	if (pods->changed)
		deadline_set(&gateway->loop, &pods->retries, &pods->retry);
	else
		deadline_clear(&pods->retry);
	return status;
}

static void sync_again(struct pods *pods)
{
	struct gateway *gateway = list_object(pods, struct gateway, pods);
	struct failure failure;

	pods->changed = true;
	pods_sync(gateway, NULL, &failure);
	redirection_apply(gateway->redirection);
}

static void retry_expired(struct deadline *deadline)
{
	sync_again(list_object(deadline, struct pods, retry));
}

static void used_expired(struct deadline *deadline)
{
	sync_again(list_object(deadline, struct pods, used));
}

void pods_used(struct gateway *gateway, uint32_t client, const struct frontend *frontend)
{
	struct pods *pods = &gateway->pods;
	struct pod *pod = pods_find(pods, client);

	if (!direct_can(gateway, frontend))
		return;
	if (client == gateway->options.bridge_address)
		redirection_used(gateway->redirection, frontend->key);
	else if (pod == NULL || pod->foreign || !direct_note(&pod->uses, frontend->key))
		return;
	if (list_empty(&pods->used.node))
		deadline_set(&gateway->loop, &pods->uses, &pods->used);
}

static bool has_direct(const struct pod *pod)
{
	for (size_t i = 0; i < pod->rule_count; i++)
		if (pod->rules[i].target == IPTABLES_DNAT)
			return true;
	return false;
}

struct pods_state pods_state(const struct pods *pods)
{
	struct pods_state state = {0};

	for (struct list *node = pods->pods.next; node != &pods->pods; node = node->next) {
		const struct pod *pod = list_object(node, struct pod, node);
		state.direct += !pod->foreign && has_direct(pod);
		state.isolated += pod->extent == EXTENT_ISOLATION;
		state.foreign += pod->foreign;
		state.failed += pod->failed;
	}
	return state;
}
