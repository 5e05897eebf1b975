#include "lib/iptables.h"

#include "lib/test/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
	    {"source ports without a protocol",
	     {.hook = IPTABLES_OUTPUT, .first_source_port = 1, .last_source_port = 2}},
	    {"a source port range that runs backwards",
	     {.hook = IPTABLES_OUTPUT,
	      .protocol = IPPROTO_UDP,
	      .first_source_port = 2,
	      .last_source_port = 1}},
	    {"DNAT without a protocol",
	     {.hook = IPTABLES_OUTPUT, .target = IPTABLES_DNAT, .dnat_address = 1, .dnat_port = 1}},
	    {"DNAT to no address",
	     {.hook = IPTABLES_OUTPUT,
	      .protocol = IPPROTO_TCP,
	      .target = IPTABLES_DNAT,
	      .dnat_port = 1}},
	    {"DNAT to no port",
	     {.hook = IPTABLES_OUTPUT,
	      .protocol = IPPROTO_TCP,
	      .target = IPTABLES_DNAT,
	      .dnat_address = 1}},
	    {"DNAT in INPUT",
	     {.hook = IPTABLES_INPUT,
	      .protocol = IPPROTO_TCP,
	      .target = IPTABLES_DNAT,
	      .dnat_address = 1,
	      .dnat_port = 1}},
	    {"DNAT in POSTROUTING",
	     {.hook = IPTABLES_POSTROUTING,
	      .protocol = IPPROTO_TCP,
	      .target = IPTABLES_DNAT,
	      .dnat_address = 1,
	      .dnat_port = 1}},
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

/* A share of the clients' ports to one endpoint, the rest to another: what direct paths are made of. */
static const struct iptables_rule split[] = {
    {.hook = IPTABLES_PREROUTING,
     .source = {0x0a2a0000, 0xffff0000},
     .target = IPTABLES_DROP},
    {.hook = IPTABLES_OUTPUT,
     .protocol = IPPROTO_TCP,
     .destination = {0x0a2b000a, 0xffffffff},
     .first_port = 80,
     .last_port = 80,
     .first_source_port = 16000,
     .last_source_port = 40767,
     .target = IPTABLES_DNAT,
     .dnat_address = 0x0a2a0002,
     .dnat_port = 8080},
    {.hook = IPTABLES_OUTPUT,
     .protocol = IPPROTO_UDP,
     .destination = {0x0a2b000a, 0xffffffff},
     .first_port = 53,
     .last_port = 53,
     .target = IPTABLES_DNAT,
     .dnat_address = 0x0a2a0003,
     .dnat_port = 1053},
    {.hook = IPTABLES_OUTPUT,
     .protocol = IPPROTO_UDP,
     .first_source_port = 1,
     .last_source_port = 1,
     .target = IPTABLES_RETURN},
    {.hook = IPTABLES_OUTPUT,
     .protocol = IPPROTO_TCP,
     .target = IPTABLES_REDIRECT,
     .redirect_port = 15001},
};
#define SPLIT (sizeof(split) / sizeof(split[0]))

static void destinations(void)
{
	const struct iptables_table table = {.name = "nat", .rules = split, .rule_count = SPLIT};
	struct iptables_blob blob = {0};

	check_number(iptables_build(&table, NAT_HOOKS, &blob), 0, "destinations are laid out");
	check_number((long)blob.size, (long)iptables_nat_size(split, SPLIT),
	             "in as many bytes as was said");
	const struct ipt_replace *replace = blob.bytes;
	const struct ipt_entry *entry = entry_at(replace, replace->hook_entry[NF_INET_LOCAL_OUT]);
	const struct xt_entry_match *match = (const void *)entry->elems;
	const struct xt_tcp *tcp = (const void *)match->data;
	check(tcp->spts[0] == 16000 && tcp->spts[1] == 40767 && tcp->dpts[0] == 80 &&
	          tcp->dpts[1] == 80,
	      "source ports and destination ports share a match");
	const struct nf_nat_ipv4_multi_range_compat *range =
	    (const void *)target_of(entry)->data;
	check_text(target_of(entry)->u.user.name, "DNAT", "to a destination");
	check_number(target_of(entry)->u.target_size, 56, "in as many bytes as gVisor wants");
	check(range->range[0].flags == (NF_NAT_RANGE_PROTO_SPECIFIED | NF_NAT_RANGE_MAP_IPS) &&
	          range->range[0].min_ip == htonl(0x0a2a0002) &&
	          range->range[0].max_ip == htonl(0x0a2a0002) &&
	          range->range[0].min.tcp.port == htons(8080) &&
	          range->range[0].max.tcp.port == htons(8080),
	      "of one address and one port");
	free(blob.bytes);
}

/* Lays the rules out, lets `change` loose on the entries, and reads them back. */
static int read_back(const struct iptables_rule *rules, size_t count,
                     void (*change)(struct ipt_replace *), struct iptables_contents *contents)
{
	const struct iptables_table table = {.name = "nat", .rules = rules, .rule_count = count};
	struct iptables_layout layout = {.hooks = NAT_HOOKS};
	struct iptables_blob blob;

	if (iptables_build(&table, NAT_HOOKS, &blob) != 0)
		return -EINVAL;
	struct ipt_replace *replace = blob.bytes;
	if (change != NULL)
		change(replace);
	memcpy(layout.begin, replace->hook_entry, sizeof(layout.begin));
	memcpy(layout.policy, replace->underflow, sizeof(layout.policy));
	int status = iptables_parse(&layout, replace->entries, replace->size, contents);
	free(blob.bytes);
	return status;
}

static struct ipt_entry *output_of(struct ipt_replace *replace)
{
	return (void *)((char *)replace->entries + replace->hook_entry[NF_INET_LOCAL_OUT]);
}

static void with_link(struct ipt_replace *replace)
{
	output_of(replace)->ip.outiface[0] = 'e';
}

static void with_exception(struct ipt_replace *replace)
{
	output_of(replace)->ip.invflags = IPT_INV_DSTIP;
}

static void with_match(struct ipt_replace *replace)
{
	struct xt_entry_match *match = (void *)output_of(replace)->elems;

	strcpy(match->u.user.name, "owner");
}

static void with_other_target(struct ipt_replace *replace)
{
	struct ipt_entry *entry = output_of(replace);
	struct xt_entry_target *target = (void *)((char *)entry + entry->target_offset);

	strcpy(target->u.user.name, "SNAT");
}

static void with_jump(struct ipt_replace *replace)
{
	struct ipt_entry *entry =
	    (void *)((char *)replace->entries + replace->hook_entry[NF_INET_PRE_ROUTING]);
	struct xt_standard_target *target = (void *)((char *)entry + entry->target_offset);

	target->verdict = 0;
}

static void with_chain(struct ipt_replace *replace)
{
	replace->size += 8;
}

static void what_is_read(void)
{
	static const struct {
		const char *what;
		void (*change)(struct ipt_replace *);
	} foreign[] = {{"a link", with_link},
	               {"an exception", with_exception},
	               {"another match", with_match},
	               {"another target", with_other_target},
	               {"a jump", with_jump},
	               {"more behind it", with_chain}};
	struct iptables_contents contents;

	check_number(read_back(NULL, 0, NULL, &contents), 0, "an empty table is read");
	check_number((long)contents.rule_count, 0, "as one without rules");
	free(contents.rules);
	check_number(read_back(split, SPLIT, NULL, &contents), 0, "rules are read");
	check(iptables_rules_equal(split, SPLIT, contents.rules, contents.rule_count),
	      "as they were written");
	check(!iptables_rules_equal(split, SPLIT, contents.rules, contents.rule_count - 1),
	      "and told from fewer");
	contents.rules[1].dnat_port++;
	check(!iptables_rules_equal(split, SPLIT, contents.rules, contents.rule_count),
	      "and from others");
	free(contents.rules);
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		check_number(read_back(split, SPLIT, foreign[i].change, &contents), -EPROTO,
		             foreign[i].what);
}

int main(void)
{
	empty_table();
	rules_in_order();
	destinations();
	what_is_read();
	bad_rules();
	return tap_done();
}
