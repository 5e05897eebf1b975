#include "lib/iptables.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* linux/in.h, which the kernel's headers below include, defines again what musl's netinet/in.h
 * did: the kernel's guards against that (linux/libc-compat.h) know glibc only. */
#define _LINUX_IN_H
#define _LINUX_IN6_H
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter_ipv4/ip_tables.h>

#include "lib/cleanup.h"

/* Everything in the blob begins at a multiple of 8. Matches and targets are a header and, behind it,
 * their own data. */
#define MATCH_SIZE XT_ALIGN(sizeof(struct xt_entry_match) + sizeof(union port_data))
/* Of REDIRECT as well as of DNAT. */
#define NAT_SIZE \
	XT_ALIGN(sizeof(struct xt_entry_target) + sizeof(struct nf_nat_ipv4_multi_range_compat))
/* The nat table's built-in chains: all hooks but FORWARD. */
#define NAT_CHAINS 4

union port_data {
	struct xt_tcp tcp;
	struct xt_udp udp;
};

static bool has_ports(const struct iptables_rule *rule)
{
	return rule->first_port != 0 || rule->last_port != 0;
}

static bool has_source_ports(const struct iptables_rule *rule)
{
	return rule->first_source_port != 0 || rule->last_source_port != 0;
}

static bool has_match(const struct iptables_rule *rule)
{
	return has_ports(rule) || has_source_ports(rule);
}

static bool is_nat(const struct iptables_rule *rule)
{
	return rule->target == IPTABLES_REDIRECT || rule->target == IPTABLES_DNAT;
}

static bool valid(const struct iptables_rule *rule, uint32_t hooks)
{
	bool transport = rule->protocol == IPPROTO_TCP || rule->protocol == IPPROTO_UDP;

	if ((hooks & 1U << rule->hook) == 0)
		return false;
	if (rule->in_link != NULL && strlen(rule->in_link) >= IFNAMSIZ)
		return false;
	if (has_match(rule) && (!transport || rule->last_port < rule->first_port ||
	                        rule->last_source_port < rule->first_source_port))
		return false;
	if (!is_nat(rule))
		return true;
	if (!transport || (rule->hook != IPTABLES_PREROUTING && rule->hook != IPTABLES_OUTPUT))
		return false;
	return rule->target == IPTABLES_REDIRECT ? rule->redirect_port != 0
	                                         : rule->dnat_address != 0 && rule->dnat_port != 0;
}

static size_t match_size(const struct iptables_rule *rule)
{
	return has_match(rule) ? MATCH_SIZE : 0;
}

static size_t target_size(const struct iptables_rule *rule)
{
	return is_nat(rule) ? NAT_SIZE : sizeof(struct xt_standard_target);
}

size_t iptables_rule_size(const struct iptables_rule *rule)
{
	return sizeof(struct ipt_entry) + match_size(rule) + target_size(rule);
}

size_t iptables_nat_size(const struct iptables_rule *rules, size_t count)
{
	const struct iptables_rule plain = {.target = IPTABLES_ACCEPT};
	size_t size = sizeof(struct ipt_replace) + NAT_CHAINS * iptables_rule_size(&plain) +
	              sizeof(struct ipt_entry) + sizeof(struct xt_error_target);

	for (size_t i = 0; i < count; i++)
		size += iptables_rule_size(&rules[i]);
	return size;
}

static bool same_network(struct iptables_network a, struct iptables_network b)
{
	return a.address == b.address && a.mask == b.mask;
}

static bool same_link(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_rule(const struct iptables_rule *a, const struct iptables_rule *b)
{
	return a->hook == b->hook && same_link(a->in_link, b->in_link) &&
	       a->protocol == b->protocol && same_network(a->source, b->source) &&
	       same_network(a->destination, b->destination) && a->first_port == b->first_port &&
	       a->last_port == b->last_port && a->first_source_port == b->first_source_port &&
	       a->last_source_port == b->last_source_port && a->target == b->target &&
	       a->redirect_port == b->redirect_port && a->dnat_address == b->dnat_address &&
	       a->dnat_port == b->dnat_port;
}

bool iptables_rules_equal(const struct iptables_rule *a, size_t a_count,
                          const struct iptables_rule *b, size_t b_count)
{
	if (a_count != b_count)
		return false;
	for (size_t i = 0; i < a_count; i++)
		if (!same_rule(&a[i], &b[i]))
			return false;
	return true;
}

/* Where a chain is left without a jump: NF_* verdicts are written as -verdict-1. */
static int verdict(enum iptables_target target)
{
	switch (target) {
	case IPTABLES_DROP:
		return -NF_DROP - 1;
	case IPTABLES_RETURN:
		return XT_RETURN;
	default:
		return -NF_ACCEPT - 1;
	}
}

static void write_range(__u16 out[2], uint16_t first, uint16_t last)
{
	out[0] = first;
	out[1] = last == 0 ? UINT16_MAX : last;
}

static void write_ports(char *out, const struct iptables_rule *rule)
{
	struct xt_entry_match *match = (void *)out;
	union port_data *data = (void *)(out + sizeof(*match));

	match->u.user.match_size = MATCH_SIZE;
	if (rule->protocol == IPPROTO_TCP) {
		strcpy(match->u.user.name, "tcp");
		write_range(data->tcp.spts, rule->first_source_port, rule->last_source_port);
		write_range(data->tcp.dpts, rule->first_port, rule->last_port);
	} else {
		strcpy(match->u.user.name, "udp");
		write_range(data->udp.spts, rule->first_source_port, rule->last_source_port);
		write_range(data->udp.dpts, rule->first_port, rule->last_port);
	}
}

static void write_nat(char *out, const struct iptables_rule *rule)
{
	struct xt_entry_target *target = (void *)out;
	struct nf_nat_ipv4_multi_range_compat *ranges = (void *)(out + sizeof(*target));
	struct nf_nat_ipv4_range *range = &ranges->range[0];
	const bool dnat = rule->target == IPTABLES_DNAT;

	target->u.user.target_size = NAT_SIZE;
	strcpy(target->u.user.name, dnat ? "DNAT" : "REDIRECT");
	ranges->rangesize = 1;
	range->flags = NF_NAT_RANGE_PROTO_SPECIFIED | (dnat ? NF_NAT_RANGE_MAP_IPS : 0);
	range->min_ip = range->max_ip = dnat ? htonl(rule->dnat_address) : 0;
	range->min.tcp.port = htons(dnat ? rule->dnat_port : rule->redirect_port);
	range->max = range->min;
}

static void write_target(char *out, const struct iptables_rule *rule)
{
	struct xt_standard_target *standard = (void *)out;

	if (is_nat(rule)) {
		write_nat(out, rule);
		return;
	}
	standard->target.u.user.target_size = sizeof(*standard);
	standard->verdict = verdict(rule->target);
}

static void write_entry(char *out, const struct iptables_rule *rule)
{
	struct ipt_entry *entry = (void *)out;

	entry->ip.proto = rule->protocol;
	entry->ip.src.s_addr = htonl(rule->source.address);
	entry->ip.smsk.s_addr = htonl(rule->source.mask);
	entry->ip.dst.s_addr = htonl(rule->destination.address);
	entry->ip.dmsk.s_addr = htonl(rule->destination.mask);
	if (rule->in_link != NULL) {
		strcpy(entry->ip.iniface, rule->in_link);
		memset(entry->ip.iniface_mask, UINT8_MAX, strlen(rule->in_link) + 1);
	}
	entry->target_offset = (uint16_t)(sizeof(*entry) + match_size(rule));
	entry->next_offset = (uint16_t)iptables_rule_size(rule);
	if (has_match(rule))
		write_ports(out + sizeof(*entry), rule);
	write_target(out + entry->target_offset, rule);
}

/* The entry that ends every blob: whoever falls through to it has met a broken table. */
static void write_error(char *out)
{
	struct ipt_entry *entry = (void *)out;
	struct xt_error_target *error = (void *)(out + sizeof(*entry));

	entry->target_offset = sizeof(*entry);
	entry->next_offset = sizeof(*entry) + sizeof(*error);
	error->target.u.user.target_size = sizeof(*error);
	strcpy(error->target.u.user.name, XT_ERROR_TARGET);
	strcpy(error->errorname, XT_ERROR_TARGET);
}

int iptables_build(const struct iptables_table *table, uint32_t hooks, struct iptables_blob *blob)
{
	const struct iptables_rule plain = {.target = IPTABLES_ACCEPT};
	size_t size = sizeof(struct ipt_entry) + sizeof(struct xt_error_target);
	uint32_t entries = 1;

	for (size_t i = 0; i < table->rule_count; i++) {
		if (!valid(&table->rules[i], hooks))
			return -EINVAL;
		size += iptables_rule_size(&table->rules[i]);
		entries++;
	}
	for (unsigned hook = 0; hook < IPTABLES_HOOKS; hook++) {
		if (hooks & 1U << hook) {
			size += iptables_rule_size(&plain);
			entries++;
		}
	}

	struct ipt_replace *replace = calloc(1, sizeof(*replace) + size);
	if (replace == NULL)
		return -ENOMEM;
	if (strlen(table->name) >= sizeof(replace->name)) {
		free(replace);
		return -EINVAL;
	}
	strcpy(replace->name, table->name);
	replace->valid_hooks = hooks;
	replace->num_entries = entries;
	replace->size = (unsigned)size;

	char *first = (char *)replace->entries;
	char *next = first;
	for (unsigned hook = 0; hook < IPTABLES_HOOKS; hook++) {
		if ((hooks & 1U << hook) == 0)
			continue;
		replace->hook_entry[hook] = (unsigned)(next - first);
		for (size_t i = 0; i < table->rule_count; i++) {
			if (table->rules[i].hook != hook)
				continue;
			write_entry(next, &table->rules[i]);
			next += iptables_rule_size(&table->rules[i]);
		}
		const struct iptables_rule policy = {.target = table->policy[hook]};
		replace->underflow[hook] = (unsigned)(next - first);
		write_entry(next, &policy);
		next += iptables_rule_size(&policy);
	}
	write_error(next);

	*blob = (struct iptables_blob){
	    .bytes = replace, .size = sizeof(*replace) + size, .entries = entries};
	return 0;
}

/* Linux hands the counters of the rules it drops back through a buffer as long as their number,
 * and answers EAGAIN when that number is wrong because somebody else has changed the table. */
static int replace_once(int fd, const struct iptables_table *table, struct failure *failure)
{
	struct ipt_getinfo info = {0};
	socklen_t info_size = sizeof(info);
	struct iptables_blob blob;
	cleanup_free void *bytes = NULL;
	cleanup_free void *counters = NULL;

	strncpy(info.name, table->name, sizeof(info.name) - 1);
	if (getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, &info, &info_size) < 0)
		return fail(failure, errno, "read the iptables table %s", table->name);
	int status = iptables_build(table, info.valid_hooks, &blob);
	if (status < 0)
		return fail(failure, -status, "lay out the iptables table %s", table->name);
	bytes = blob.bytes;
	counters = calloc(info.num_entries, sizeof(struct xt_counters));
	if (counters == NULL)
		return fail(failure, ENOMEM, "replace the iptables table %s", table->name);

	struct ipt_replace *replace = bytes;
	replace->num_counters = info.num_entries;
	replace->counters = counters;
	if (setsockopt(fd, IPPROTO_IP, IPT_SO_SET_REPLACE, bytes, (socklen_t)blob.size) < 0)
		return fail(failure, errno, "replace the iptables table %s", table->name);
	return 0;
}

int iptables_replace(const struct iptables_table *table, struct failure *failure)
{
	cleanup_fd int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	int status;

	if (fd < 0)
		return fail(failure, errno, "open a raw socket for the iptables table %s",
		            table->name);
	do
		status = replace_once(fd, table, failure);
	while (status == -EAGAIN);
	return status;
}

/* The entries as the walk below comes by them. */
struct cursor {
	const char *entries;
	size_t size;
	size_t offset;
};

static bool all_zero(const void *bytes, size_t size)
{
	for (const unsigned char *byte = bytes; size > 0; byte++, size--)
		if (*byte != 0)
			return false;
	return true;
}

/* The entry at the cursor, if all of it is there; NULL otherwise. */
static const struct ipt_entry *entry_at(const struct cursor *cursor)
{
	const struct ipt_entry *entry = (const void *)(cursor->entries + cursor->offset);

	if (cursor->offset % XT_ALIGN(1) != 0 || cursor->size - cursor->offset < sizeof(*entry))
		return NULL;
	if (entry->target_offset < sizeof(*entry) ||
	    entry->next_offset < entry->target_offset + sizeof(struct xt_entry_target) ||
	    entry->target_offset % XT_ALIGN(1) != 0 || entry->next_offset % XT_ALIGN(1) != 0 ||
	    entry->next_offset > cursor->size - cursor->offset)
		return NULL;
	return entry;
}

/* What no rule of ours has: links, exceptions, fragments. */
static bool is_plain(const struct ipt_ip *ip)
{
	return all_zero(ip->iniface, sizeof(ip->iniface)) &&
	       all_zero(ip->outiface, sizeof(ip->outiface)) && ip->flags == 0 &&
	       ip->invflags == 0 && ip->proto <= UINT8_MAX;
}

static bool read_range(const __u16 range[2], uint16_t *first, uint16_t *last)
{
	*first = range[0];
	*last = range[0] == 0 && range[1] == UINT16_MAX ? 0 : range[1];
	return range[0] <= range[1] && range[1] != 0;
}

/* The names in entries need not end. */
static bool is_named(const char name[XT_EXTENSION_MAXNAMELEN], const char *text)
{
	return strncmp(name, text, XT_EXTENSION_MAXNAMELEN) == 0;
}

static bool read_ports(const struct ipt_entry *entry, struct iptables_rule *rule)
{
	const struct xt_entry_match *match = (const void *)entry->elems;
	const union port_data *data = (const void *)match->data;

	if (entry->target_offset == sizeof(*entry))
		return true;
	if (entry->target_offset != sizeof(*entry) + MATCH_SIZE ||
	    match->u.user.match_size != MATCH_SIZE || match->u.user.revision != 0)
		return false;
	if (rule->protocol == IPPROTO_TCP && is_named(match->u.user.name, "tcp"))
		return data->tcp.option == 0 && data->tcp.flg_mask == 0 &&
		       data->tcp.flg_cmp == 0 && data->tcp.invflags == 0 &&
		       read_range(data->tcp.spts, &rule->first_source_port,
		                  &rule->last_source_port) &&
		       read_range(data->tcp.dpts, &rule->first_port, &rule->last_port);
	return rule->protocol == IPPROTO_UDP && is_named(match->u.user.name, "udp") &&
	       data->udp.invflags == 0 &&
	       read_range(data->udp.spts, &rule->first_source_port, &rule->last_source_port) &&
	       read_range(data->udp.dpts, &rule->first_port, &rule->last_port);
}

static bool read_verdict(const struct xt_entry_target *target, size_t size,
                         struct iptables_rule *rule)
{
	static const enum iptables_target targets[] = {IPTABLES_ACCEPT, IPTABLES_DROP,
	                                               IPTABLES_RETURN};
	const struct xt_standard_target *standard = (const void *)target;

	if (size != sizeof(*standard))
		return false;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		rule->target = targets[i];
		if (standard->verdict == verdict(rule->target))
			return true;
	}
	return false; /* a jump */
}

static bool read_nat(const struct xt_entry_target *target, size_t size, struct iptables_rule *rule)
{
	const struct nf_nat_ipv4_multi_range_compat *ranges = (const void *)target->data;
	const struct nf_nat_ipv4_range *range = &ranges->range[0];
	const bool dnat = is_named(target->u.user.name, "DNAT");
	const unsigned flags =
	    NF_NAT_RANGE_PROTO_SPECIFIED | (dnat ? (unsigned)NF_NAT_RANGE_MAP_IPS : 0);

	if (size != NAT_SIZE || ranges->rangesize != 1 || range->flags != flags ||
	    range->min_ip != range->max_ip || range->min.tcp.port != range->max.tcp.port)
		return false;
	if (dnat) {
		rule->target = IPTABLES_DNAT;
		rule->dnat_address = ntohl(range->min_ip);
		rule->dnat_port = ntohs(range->min.tcp.port);
	} else {
		rule->target = IPTABLES_REDIRECT;
		rule->redirect_port = ntohs(range->min.tcp.port);
	}
	return true;
}

static bool read_target(const struct ipt_entry *entry, struct iptables_rule *rule)
{
	const struct xt_entry_target *target =
	    (const void *)((const char *)entry + entry->target_offset);
	const size_t size = (size_t)(entry->next_offset - entry->target_offset);
	const char *name = target->u.user.name;

	if (target->u.user.target_size != size || target->u.user.revision != 0)
		return false;
	if (is_named(name, XT_STANDARD_TARGET))
		return read_verdict(target, size, rule);
	return (is_named(name, "DNAT") || is_named(name, "REDIRECT")) &&
	       read_nat(target, size, rule);
}

/* The rule at the cursor, which moves on. False where it is none that iptables_build() lays out. */
static bool read_rule(struct cursor *cursor, enum iptables_hook hook, struct iptables_rule *rule)
{
	const struct ipt_entry *entry = entry_at(cursor);

	if (entry == NULL || !is_plain(&entry->ip))
		return false;
	*rule = (struct iptables_rule){
	    .hook = hook,
	    .protocol = (uint8_t)entry->ip.proto,
	    .source = {ntohl(entry->ip.src.s_addr), ntohl(entry->ip.smsk.s_addr)},
	    .destination = {ntohl(entry->ip.dst.s_addr), ntohl(entry->ip.dmsk.s_addr)}};
	cursor->offset += entry->next_offset;
	return read_ports(entry, rule) && read_target(entry, rule) && valid(rule, 1U << hook);
}

static bool is_policy(const struct iptables_rule *rule)
{
	const struct iptables_rule policy = {.hook = rule->hook, .target = rule->target};

	return same_rule(rule, &policy) &&
	       (rule->target == IPTABLES_ACCEPT || rule->target == IPTABLES_DROP);
}

/* One hook's rules and, behind them, its policy. */
static bool read_chain(struct cursor *cursor, enum iptables_hook hook, unsigned policy_offset,
                       struct iptables_contents *contents)
{
	struct iptables_rule policy;

	while (cursor->offset < policy_offset)
		if (!read_rule(cursor, hook, &contents->rules[contents->rule_count++]))
			return false;
	if (cursor->offset != policy_offset || !read_rule(cursor, hook, &policy) ||
	    !is_policy(&policy))
		return false;
	contents->policy[hook] = policy.target;
	return true;
}

static bool is_end(const struct cursor *cursor)
{
	const struct ipt_entry *entry = entry_at(cursor);

	if (entry == NULL || cursor->offset + entry->next_offset != cursor->size)
		return false;
	const struct xt_entry_target *target =
	    (const void *)((const char *)entry + entry->target_offset);
	return is_named(target->u.user.name, XT_ERROR_TARGET);
}

static bool parse(const struct iptables_layout *layout, struct cursor *cursor,
                  struct iptables_contents *contents)
{
	for (unsigned hook = 0; hook < IPTABLES_HOOKS; hook++) {
		if ((layout->hooks & 1U << hook) == 0)
			continue;
		if (layout->begin[hook] != cursor->offset ||
		    !read_chain(cursor, (enum iptables_hook)hook, layout->policy[hook], contents))
			return false;
	}
	return is_end(cursor);
}

int iptables_parse(const struct iptables_layout *layout, const void *entries, size_t size,
                   struct iptables_contents *contents)
{
	struct cursor cursor = {.entries = entries, .size = size};

	*contents = (struct iptables_contents){0};
	/* No entry is smaller, and one more: calloc(0) may return NULL without having failed. */
	contents->rules = calloc(size / sizeof(struct ipt_entry) + 1, sizeof(*contents->rules));
	if (contents->rules == NULL)
		return -ENOMEM;
	if (parse(layout, &cursor, contents))
		return 0;
	free(contents->rules);
	*contents = (struct iptables_contents){0};
	return -EPROTO;
}

static int read_once(int fd, const char *name, struct iptables_contents *contents,
                     struct failure *failure)
{
	struct ipt_getinfo info = {0};
	socklen_t size = sizeof(info);

	strncpy(info.name, name, sizeof(info.name) - 1);
	if (getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, &info, &size) < 0)
		return fail(failure, errno, "read the iptables table %s", name);
	size = (socklen_t)(sizeof(struct ipt_get_entries) + info.size);
	cleanup_free struct ipt_get_entries *entries = calloc(1, size);
	if (entries == NULL)
		return fail(failure, ENOMEM, "read the iptables table %s", name);
	strncpy(entries->name, name, sizeof(entries->name) - 1);
	entries->size = info.size;
	if (getsockopt(fd, IPPROTO_IP, IPT_SO_GET_ENTRIES, entries, &size) < 0)
		return fail(failure, errno, "read the rules of the iptables table %s", name);
	struct iptables_layout layout = {.hooks = info.valid_hooks};
	memcpy(layout.begin, info.hook_entry, sizeof(layout.begin));
	memcpy(layout.policy, info.underflow, sizeof(layout.policy));
	int status = iptables_parse(&layout, entries->entrytable, info.size, contents);
	return status < 0 ? fail(failure, -status, "read the rules of the iptables table %s", name)
	                  : 0;
}

int iptables_read(const char *name, struct iptables_contents *contents, struct failure *failure)
{
	cleanup_fd int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	int status;

	if (fd < 0)
		return fail(failure, errno, "open a raw socket for the iptables table %s", name);
	/* The kernel's word for a table that changed between the two questions. */
	do
		status = read_once(fd, name, contents, failure);
	while (status == -EAGAIN);
	return status;
}
