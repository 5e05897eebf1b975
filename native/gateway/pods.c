#include "gateway/pods.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/gateway.h"
#include "gateway/log.h"
#include "gateway/pod_journal.h"
#include "gateway/pod_rules.h"
#include "lib/cleanup.h"
#include "lib/die.h"

int pods_init(struct pods *pods)
{
	struct failure failure;

	*pods = (struct pods){.home = -1};
	policy_table_init(&pods->policies);
	list_init(&pods->pods);
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

void pods_end(struct pods *pods)
{
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

static void apply_all(struct pods *pods)
{
	pods->isolates_egress = false;
	for (struct list *node = pods->pods.next; node != &pods->pods; node = node->next)
		apply(pods, list_object(node, struct pod, node));
	pods->changed = true;
}

static void remove_pod(struct pods *pods, struct pod *pod)
{
	cleanup_free char *name = pod->name;

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
	apply(pods, copy);
	resolve(pods, copy->name);
	return 0;
}

int pods_open(struct pods *pods, const char *control, struct failure *failure)
{
	pods->home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (pods->home < 0)
		return fail(failure, errno, "open the node's network namespace");
	if (asprintf(&pods->journal, "%s.pods", control) < 0) {
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
	apply_all(pods);
}

bool pods_delete_policy(struct pods *pods, enum direction direction, const char *name)
{
	struct policy *policy = policy_table_find(&pods->policies, direction, name);

	if (policy == NULL)
		return false;
	policy_table_remove(policy);
	apply_all(pods);
	return true;
}

void pods_begin(struct pods *pods)
{
	policy_table_begin(&pods->policies);
}

void pods_commit(struct pods *pods)
{
	for (struct policy *stale; (stale = policy_table_stale(&pods->policies)) != NULL;)
		policy_table_remove(stale);
	pods->complete = true;
	apply_all(pods);
}

/* Replaces the nat table of another network namespace, from within it. */
static int replace_in(int home, const char *netns, const struct iptables_rule *rules, size_t count,
                      struct failure *failure)
{
	const struct iptables_table table = {.name = "nat", .rules = rules, .rule_count = count};
	cleanup_fd int fd = open(netns, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail(failure, errno, "open network namespace %s", netns);
	if (setns(fd, CLONE_NEWNET) != 0)
		return fail(failure, errno, "enter network namespace %s", netns);
	int status = iptables_replace(&table, failure);
	if (setns(home, CLONE_NEWNET) != 0)
		die_errno("return to the node's network namespace");
	return status;
}

/* Returns 0, also where nothing had to be written, or -errno with the failure noted. */
static int write_rules(const struct gateway *gateway, struct pod *pod, enum extent extent,
                       struct failure *failure)
{
	struct iptables_rule *rules;
	ssize_t count = pod_rules(gateway, pod, extent, &rules);

	if (count < 0)
		return fail(failure, (int)-count, "lay out the rules of %s", pod->name);
	if (!pod->inherited && pod_rules_equal(rules, (size_t)count, pod->rules, pod->rule_count)) {
		free(rules);
		return 0;
	}
	int status = replace_in(gateway->pods.home, pod->netns, rules, (size_t)count, failure);
	if (status < 0) {
		free(rules);
		return status;
	}
	free(pod->rules);
	pod->rules = rules;
	pod->rule_count = (size_t)count;
	pod->inherited = false;
	return 0;
}

static int sync_pod(const struct gateway *gateway, struct pod *pod, struct failure *failure)
{
	static const char *const consequences[] = {
	    [EXTENT_ALL] = "what is not allowed to reach Services or the outside is reset",
	    [EXTENT_PODS] = "isolated entirely from the bridge"};

	enum extent extent = EXTENT_ALL;
	int status;

	/* gVisor takes 32 KiB, about 160 rules (maxOptLen,
	 * pkg/sentry/syscalls/linux/sys_socket.go); before 2026 it took 8 KiB. */
	while ((status = write_rules(gateway, pod, extent, failure)) < 0 &&
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

int pods_sync(struct gateway *gateway, const struct pod *about, struct failure *failure)
{
	struct pods *pods = &gateway->pods;
	int result = 0;

	if (!pods->changed || !pods->complete)
		return 0;
	pods->changed = false;
	for (struct list *node = pods->pods.next; node != &pods->pods; node = node->next) {
		struct pod *pod = list_object(node, struct pod, node);
		struct failure own;
		int status = sync_pod(gateway, pod, &own);
		if (status == 0)
			continue;
		pods->changed = pods->changed || status != -ENOENT;
		if (pod == about) {
			*failure = own;
			result = status;
		} else {
			log_line("%s", own.message);
		}
	}
	return result;
}
