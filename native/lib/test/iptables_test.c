#include "lib/iptables.h"

#include "lib/test/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

/* As in iptables.c: musl and the kernel's headers both define what is in netinet/in.h. */
#define _LINUX_IN_H
#define _LINUX_IN6_H
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter_ipv4/ip_tables.h>

#define NAT_HOOKS                                                                                  \
	(1U << IPTABLES_PREROUTING | 1U << IPTABLES_INPUT | 1U << IPTABLES_OUTPUT |                \
	 1U << IPTABLES_POSTROUTING)
#define FILTER_HOOKS (1U << IPTABLES_INPUT | 1U << IPTABLES_FORWARD | 1U << IPTABLES_OUTPUT)

static const struct iptables_rule redirect_all = {.hook = IPTABLES_OUTPUT,
                                                  .protocol = IPPROTO_TCP,
                                                  .target = IPTABLES_REDIRECT,
                                                  .redirect_port = 15001};

static const struct ipt_entry *entry_at(const struct ipt_replace *replace, size_t offset)
{
	return (const void *)((const char *)replace->entries + offset);
}

static const struct xt_entry_target *target_of(const struct ipt_entry *entry)
{
	return (const void *)((const char *)entry + entry->target_offset);
}

/* Walks the blob as a kernel does; returns how many entries end exactly at its end, or 0. */
static uint32_t walk(const struct ipt_replace *replace)
{
	uint32_t count = 0;
	size_t offset = 0;

	while (offset < replace->size) {
		const struct ipt_entry *entry = entry_at(replace, offset);
		const struct xt_entry_target *target = target_of(entry);

		if (entry->next_offset % 8 != 0 ||
		    entry->target_offset + target->u.target_size != entry->next_offset)
			return 0;
		offset += entry->next_offset;
		count++;
	}
	return offset == replace->size ? count : 0;
}

static void empty_table(void)
{
	const struct iptables_table table = {.name = "filter",
	                                     .policy = {[IPTABLES_INPUT] = IPTABLES_DROP}};
	struct iptables_blob blob = {0};

	check_number(iptables_build(&table, FILTER_HOOKS, &blob), 0, "an empty table is laid out");
	const struct ipt_replace *replace = blob.bytes;
	check_text(replace->name, "filter", "under its name");
	check_number(replace->num_entries, 4, "three policies and the error entry");
	check_number(walk(replace), 4, "which fill it exactly");
	check_number((long)blob.size, (long)(sizeof(*replace) + replace->size), "as does the blob");
	check_number(replace->valid_hooks, FILTER_HOOKS, "the hooks are those asked for");
	check_number(replace->hook_entry[NF_INET_LOCAL_IN], 0, "INPUT begins the entries");
	check(replace->hook_entry[NF_INET_LOCAL_IN] == replace->underflow[NF_INET_LOCAL_IN],
	      "an empty chain begins with its policy");
	const struct xt_standard_target *policy =
	    (const void *)target_of(entry_at(replace, replace->underflow[NF_INET_LOCAL_IN]));
	check_number(policy->verdict, -NF_DROP - 1, "which for INPUT is DROP");
	policy = (const void *)target_of(entry_at(replace, replace->underflow[NF_INET_FORWARD]));
	check_number(policy->verdict, -NF_ACCEPT - 1, "and for FORWARD ACCEPT");
	free(blob.bytes);
}

static void rules_in_order(void)
{
	const struct iptables_rule rules[] = {
	    redirect_all,
	    {.hook = IPTABLES_PREROUTING,
	     .in_link = "eth0",
	     .protocol = IPPROTO_TCP,
	     .source = {0x0a2a0000, 0xffff0000},
	     .destination = {0x0a2b000a, 0xffffffff},
	     .first_port = 8000,
	     .last_port = 8080,
	     .target = IPTABLES_RETURN},
	    {.hook = IPTABLES_OUTPUT, .target = IPTABLES_DROP},
	};
	const struct iptables_table table = {.name = "nat", .rules = rules, .rule_count = 3};
	struct iptables_blob blob = {0};

	check_number(iptables_build(&table, NAT_HOOKS, &blob), 0, "rules are laid out");
	const struct ipt_replace *replace = blob.bytes;
	check_number(walk(replace), 8, "three rules, four policies, the error entry");

	const struct ipt_entry *entry = entry_at(replace, replace->hook_entry[NF_INET_PRE_ROUTING]);
	check_number(entry->ip.proto, IPPROTO_TCP, "PREROUTING's rule has its protocol");
	check_text(entry->ip.iniface, "eth0", "its link");
	check(entry->ip.iniface_mask[4] == 0xff && entry->ip.iniface_mask[5] == 0,
	      "by its whole name");
	check(entry->ip.src.s_addr == htonl(0x0a2a0000) &&
	          entry->ip.smsk.s_addr == htonl(0xffff0000),
	      "its source network");
	check(entry->ip.dst.s_addr == htonl(0x0a2b000a) &&
	          entry->ip.dmsk.s_addr == htonl(0xffffffff),
	      "its destination");
	const struct xt_entry_match *match = (const void *)entry->elems;
	const struct xt_tcp *tcp = (const void *)match->data;
	check_text(match->u.user.name, "tcp", "a match on ports");
	check(tcp->dpts[0] == 8000 && tcp->dpts[1] == 8080, "of the destination");
	check(tcp->spts[0] == 0 && tcp->spts[1] == 65535, "and on no port of the source");
	check_number(((const struct xt_standard_target *)(const void *)target_of(entry))->verdict,
	             XT_RETURN, "and it returns");

	entry = entry_at(replace, replace->hook_entry[NF_INET_LOCAL_OUT]);
	const struct xt_entry_target *target = target_of(entry);
	const struct nf_nat_ipv4_multi_range_compat *range = (const void *)target->data;
	check_text(target->u.user.name, "REDIRECT", "OUTPUT's first rule redirects");
	check_number(target->u.target_size, 56, "in as many bytes as gVisor wants");
	check(range->rangesize == 1 && range->range[0].flags == NF_NAT_RANGE_PROTO_SPECIFIED &&
	          range->range[0].min.tcp.port == htons(15001) &&
	          range->range[0].max.tcp.port == htons(15001),
	      "to the one port");
	entry = (const void *)((const char *)entry + entry->next_offset);
	check_number(((const struct xt_standard_target *)(const void *)target_of(entry))->verdict,
	             -NF_DROP - 1, "its second drops");
	entry = (const void *)((const char *)entry + entry->next_offset);
	check(entry == entry_at(replace, replace->underflow[NF_INET_LOCAL_OUT]),
	      "its policy follows");
	free(blob.bytes);
}

static void bad_rules(void)
{
	static const struct {
		const char *what;
		struct iptables_rule rule;
	} bad[] = {
	    {"a hook that the table lacks", {.hook = IPTABLES_FORWARD, .target = IPTABLES_ACCEPT}},
	    {"a link's name that is too long",
	     {.hook = IPTABLES_OUTPUT,
	      .in_link = "sixteen-letters-",
	      .target = IPTABLES_ACCEPT}},
	    {"ports without a protocol",
	     {.hook = IPTABLES_OUTPUT, .first_port = 1, .last_port = 2}},
	    {"a port range that runs backwards",
	     {.hook = IPTABLES_OUTPUT, .protocol = IPPROTO_UDP, .first_port = 2, .last_port = 1}},
	    {"REDIRECT without a protocol",
	     {.hook = IPTABLES_OUTPUT, .target = IPTABLES_REDIRECT, .redirect_port = 1}},
	    {"REDIRECT to no port",
	     {.hook = IPTABLES_OUTPUT, .protocol = IPPROTO_TCP, .target = IPTABLES_REDIRECT}},
	    {"REDIRECT in POSTROUTING",
	     {.hook = IPTABLES_POSTROUTING,
	      .protocol = IPPROTO_TCP,
	      .target = IPTABLES_REDIRECT,
	      .redirect_port = 1}},
	};
	struct iptables_blob blob;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct iptables_table table = {
		    .name = "nat", .rules = &bad[i].rule, .rule_count = 1};
		check_number(iptables_build(&table, NAT_HOOKS, &blob), -EINVAL, bad[i].what);
	}
}

int main(void)
{
	empty_table();
	rules_in_order();
	bad_rules();
	return tap_done();
}
