#include "gateway/policy_table.h"

#include "lib/test/tap.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#define FRIEND 0x0a2a0005

static struct policy *policy(const char *text)
{
	struct policy *out = NULL;
	struct failure failure;

	check_number(policy_parse(DIRECTION_INGRESS, text, &out, &failure), 0, text);
	return out;
}

static void matching(void)
{
	static const struct {
		const char *text;
		uint8_t protocol;
		uint32_t peer;
		uint16_t port;
		bool matches;
	} table[] = {
	    {"a/b", IPPROTO_TCP, FRIEND, 80, false},
	    {"a/b 0.0.0.0/0", IPPROTO_UDP, 1, 1, true},
	    {"a/b 10.42.0.0/16", IPPROTO_TCP, FRIEND, 80, true},
	    {"a/b 10.42.0.9/16", IPPROTO_TCP, FRIEND, 80, true}, /* host bits do not count */
	    {"a/b 10.43.0.0/16", IPPROTO_TCP, FRIEND, 80, false},
	    {"a/b 10.42.0.5/32:tcp", IPPROTO_TCP, FRIEND, 80, true},
	    {"a/b 10.42.0.5/32:tcp", IPPROTO_UDP, FRIEND, 80, false},
	    {"a/b 10.42.0.5/32:tcp:80", IPPROTO_TCP, FRIEND, 80, true},
	    {"a/b 10.42.0.5/32:tcp:80", IPPROTO_TCP, FRIEND, 81, false},
	    {"a/b 10.42.0.5/32:tcp:79-81", IPPROTO_TCP, FRIEND, 81, true},
	    {"a/b 10.42.0.5/32:tcp:1-79", IPPROTO_TCP, FRIEND, 80, false},
	    {"a/b 10.9.9.9/32 10.42.0.5/32:udp", IPPROTO_UDP, FRIEND, 80, true},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct policy *parsed = policy(table[i].text);
		check(policy_matches(parsed, table[i].protocol, table[i].peer, table[i].port) ==
		          table[i].matches,
		      "%s", table[i].matches ? "matches" : "does not match");
		policy_free(parsed);
	}
}

static void peers_by_name(void)
{
	struct policy *parsed = policy("a/server a/friend:tcp:80");

	check(!policy_matches(parsed, IPPROTO_TCP, FRIEND, 80), "nobody is called so yet");
	check(!policy_matches(parsed, IPPROTO_TCP, 0, 80), "nor has a pod without an address one");
	policy_resolve(parsed, "a/other", FRIEND);
	check(!policy_matches(parsed, IPPROTO_TCP, FRIEND, 80), "another name is no friend");
	policy_resolve(parsed, "a/friend", FRIEND);
	check(policy_matches(parsed, IPPROTO_TCP, FRIEND, 80), "now somebody is");
	policy_resolve(parsed, "a/friend", 0);
	check(!policy_matches(parsed, IPPROTO_TCP, FRIEND, 80), "until it is gone");
	policy_free(parsed);
}

static void refusals(void)
{
	static const char *const rules[] = {"10.0.0.0",
	                                    "10.0.0.0/33",
	                                    "b",
	                                    "b/",
	                                    "/b",
	                                    "b/c/d",
	                                    "b/*",
	                                    "",
	                                    "b/c:sctp",
	                                    "b/c:",
	                                    "b/c:tcp:",
	                                    "b/c:tcp:0",
	                                    "b/c:tcp:2-1",
	                                    "b/c:tcp:1-",
	                                    "b/c:tcp:65536",
	                                    "b/c:tcp:1-65536",
	                                    "b/c:tcp:http",
	                                    "b/c:tcp:1:2"};
	static const char *const names[] = {"", "a", "a/", "/a", "a/b/c", "a:b/c"};
	struct policy *out = NULL;
	struct failure failure;
	char text[64];

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		snprintf(text, sizeof(text), "a/b a/ok %s", rules[i]);
		check_number(policy_parse(DIRECTION_EGRESS, text, &out, &failure), -EINVAL, text);
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		check_number(policy_parse(DIRECTION_EGRESS, names[i], &out, &failure), -EINVAL,
		             names[i]);
	check(out == NULL, "nothing is left to be freed");
}

static void tables(void)
{
	struct policy_table table;

	policy_table_init(&table);
	struct policy *space = policy("a/*"), *own = policy("a/b"), *open = policy("a/c 0.0.0.0/0");
	policy_table_set(&table, space);
	policy_table_set(&table, own);
	policy_table_set(&table, open);
	check(policy_table_of(&table, DIRECTION_INGRESS, "a/b") == own, "a pod has its own policy");
	check(policy_table_of(&table, DIRECTION_INGRESS, "a/x") == space, "or its namespace's");
	check(policy_table_of(&table, DIRECTION_INGRESS, "a/c") == NULL, "or is told to have none");
	check(policy_table_of(&table, DIRECTION_INGRESS, "aa/x") == NULL, "others have none");
	check(policy_table_of(&table, DIRECTION_EGRESS, "a/b") == NULL, "nor has it the other way");

	policy_table_begin(&table);
	policy_table_set(&table, policy("a/b 10.0.0.0/8"));
	policy_table_set(&table, policy("a/c"));
	check(policy_table_stale(&table) == space, "what was not set again is stale");
	policy_table_remove(space);
	check(policy_table_stale(&table) == NULL, "until removed");
	policy_table_remove(policy_table_find(&table, DIRECTION_INGRESS, "a/b"));
	policy_table_remove(policy_table_find(&table, DIRECTION_INGRESS, "a/c"));
}

static struct policy *quiet(const char *text)
{
	struct policy *out = NULL;
	struct failure failure;

	if (policy_parse(DIRECTION_INGRESS, text, &out, &failure) < 0)
		abort();
	return out;
}

/* More than there are buckets, so that many share one. */
static void crowd(void)
{
	enum { COUNT = 4 * POLICY_BUCKETS };
	static struct policy_table table;
	char name[32];
	size_t wrong = 0, stale = 0;

	policy_table_init(&table);
	policy_table_set(&table, quiet("space/*"));
	for (int i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "space/pod-%d", i);
		policy_table_set(&table, quiet(name));
	}
	for (int i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "space/pod-%d", i);
		const struct policy *found = policy_table_of(&table, DIRECTION_INGRESS, name);
		wrong += found == NULL || strcmp(found->name, name) != 0;
	}
	check_number((long)wrong, 0, "each of many is found by its name");
	check(policy_table_find(&table, DIRECTION_EGRESS, "space/pod-1") == NULL,
	      "and not in the other direction");

	policy_table_begin(&table);
	policy_table_set(&table, quiet("space/pod-7"));
	for (struct policy *old; (old = policy_table_stale(&table)) != NULL; stale++)
		policy_table_remove(old);
	check_number((long)stale, COUNT, "all but what was set again are stale");
	check(policy_table_find(&table, DIRECTION_INGRESS, "space/pod-7") != NULL,
	      "which is still there");
	check(policy_table_of(&table, DIRECTION_INGRESS, "space/pod-8") == NULL,
	      "others are found no more");
	policy_table_remove(policy_table_find(&table, DIRECTION_INGRESS, "space/pod-7"));
}

int main(void)
{
	matching();
	peers_by_name();
	refusals();
	tables();
	crowd();
	return tap_done();
}
