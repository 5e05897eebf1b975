/*
 * Rules made of the input are laid out, a few bytes of that are changed, and what is then still read
 * as a table of ours is one: laid out again and read again, it is the same.
 */
#include "lib/iptables.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* As in iptables.c. */
#define _LINUX_IN_H
#define _LINUX_IN6_H
#include <linux/netfilter_ipv4/ip_tables.h>

#define RULES_MAX 8
#define NAT_HOOKS                                                                                  \
	(1U << IPTABLES_PREROUTING | 1U << IPTABLES_INPUT | 1U << IPTABLES_OUTPUT |                \
	 1U << IPTABLES_POSTROUTING)

struct input {
	const uint8_t *bytes;
	size_t size;
};

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* Zeros behind the end. */
static uint32_t take(struct input *input, size_t size)
{
	uint32_t value = 0;

	if (size > input->size)
		size = input->size;
	memcpy(&value, input->bytes, size);
	input->bytes += size;
	input->size -= size;
	return value;
}

static struct iptables_rule take_rule(struct input *input)
{
	static const uint8_t protocols[] = {0, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP};

	return (struct iptables_rule){
	    .hook = take(input, 1) % IPTABLES_HOOKS,
	    .protocol = protocols[take(input, 1) % sizeof(protocols)],
	    .source = {take(input, 4), take(input, 4)},
	    .destination = {take(input, 4), take(input, 4)},
	    .first_port = (uint16_t)take(input, 2),
	    .last_port = (uint16_t)take(input, 2),
	    .first_source_port = (uint16_t)take(input, 2),
	    .last_source_port = (uint16_t)take(input, 2),
	    .target = take(input, 1) % (IPTABLES_DNAT + 1),
	    .redirect_port = (uint16_t)take(input, 2),
	    .dnat_address = take(input, 4),
	    .dnat_port = (uint16_t)take(input, 2),
	};
}

static int read_blob(const struct iptables_blob *blob, struct iptables_contents *contents)
{
	const struct ipt_replace *replace = blob->bytes;
	struct iptables_layout layout = {.hooks = replace->valid_hooks};

	memcpy(layout.begin, replace->hook_entry, sizeof(layout.begin));
	memcpy(layout.policy, replace->underflow, sizeof(layout.policy));
	/* As many bytes as there are, so that the sanitizer sees a step beyond. */
	const size_t size = blob->size - sizeof(*replace);
	void *entries = malloc(size);
	require(entries != NULL);
	memcpy(entries, replace->entries, size);
	int status = iptables_parse(&layout, entries, size, contents);
	free(entries);
	return status;
}

static void require_same_again(const struct iptables_contents *contents)
{
	struct iptables_table table = {
	    .name = "nat", .rules = contents->rules, .rule_count = contents->rule_count};
	struct iptables_contents again;
	struct iptables_blob blob;

	memcpy(table.policy, contents->policy, sizeof(table.policy));
	require(iptables_build(&table, NAT_HOOKS, &blob) == 0);
	require(read_blob(&blob, &again) == 0);
	require(iptables_rules_equal(contents->rules, contents->rule_count, again.rules,
	                             again.rule_count));
	require(memcmp(contents->policy, again.policy, sizeof(again.policy)) == 0);
	free(again.rules);
	free(blob.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	struct iptables_rule rules[RULES_MAX];
	struct iptables_table table = {.name = "nat", .rules = rules};
	struct iptables_contents contents;
	struct iptables_blob blob;

	table.rule_count = take(&input, 1) % (RULES_MAX + 1);
	for (size_t i = 0; i < table.rule_count; i++)
		rules[i] = take_rule(&input);
	if (iptables_build(&table, NAT_HOOKS, &blob) != 0)
		return 0;
	require(blob.size == iptables_nat_size(rules, table.rule_count));
	require(read_blob(&blob, &contents) == 0);
	require_same_again(&contents);
	free(contents.rules);
	struct ipt_replace *replace = blob.bytes;
	while (input.size > 0) {
		const size_t offset = take(&input, 2) % (blob.size - sizeof(*replace));
		((char *)replace->entries)[offset] = (char)take(&input, 1);
	}
	if (read_blob(&blob, &contents) == 0) {
		require_same_again(&contents);
		free(contents.rules);
	}
	free(blob.bytes);
	return 0;
}
