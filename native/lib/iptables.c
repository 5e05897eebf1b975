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
#define REDIRECT_SIZE \
	XT_ALIGN(sizeof(struct xt_entry_target) + sizeof(struct nf_nat_ipv4_multi_range_compat))

union port_data {
	struct xt_tcp tcp;
	struct xt_udp udp;
};

static bool has_ports(const struct iptables_rule *rule)
{
	return rule->first_port != 0 || rule->last_port != 0;
}

static bool valid(const struct iptables_rule *rule, uint32_t hooks)
{
	bool transport = rule->protocol == IPPROTO_TCP || rule->protocol == IPPROTO_UDP;
	bool redirect = rule->target == IPTABLES_REDIRECT;

	if ((hooks & 1U << rule->hook) == 0)
		return false;
	if (rule->in_link != NULL && strlen(rule->in_link) >= IFNAMSIZ)
		return false;
	if (has_ports(rule) && (!transport || rule->last_port < rule->first_port))
		return false;
	if (redirect && rule->hook != IPTABLES_PREROUTING && rule->hook != IPTABLES_OUTPUT)
		return false;
	return !redirect || (transport && rule->redirect_port != 0);
}

static size_t match_size(const struct iptables_rule *rule)
{
	return has_ports(rule) ? MATCH_SIZE : 0;
}

static size_t target_size(const struct iptables_rule *rule)
{
	return rule->target == IPTABLES_REDIRECT ? REDIRECT_SIZE : sizeof(struct xt_standard_target);
}

static size_t entry_size(const struct iptables_rule *rule)
{
	return sizeof(struct ipt_entry) + match_size(rule) + target_size(rule);
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

static void write_ports(char *out, const struct iptables_rule *rule)
{
	struct xt_entry_match *match = (void *)out;
	union port_data *data = (void *)(out + sizeof(*match));

	match->u.user.match_size = MATCH_SIZE;
	if (rule->protocol == IPPROTO_TCP) {
		strcpy(match->u.user.name, "tcp");
		data->tcp.spts[1] = UINT16_MAX;
		data->tcp.dpts[0] = rule->first_port;
		data->tcp.dpts[1] = rule->last_port;
	} else {
		strcpy(match->u.user.name, "udp");
		data->udp.spts[1] = UINT16_MAX;
		data->udp.dpts[0] = rule->first_port;
		data->udp.dpts[1] = rule->last_port;
	}
}

static void write_redirect(char *out, uint16_t port)
{
	struct xt_entry_target *target = (void *)out;
	struct nf_nat_ipv4_multi_range_compat *range = (void *)(out + sizeof(*target));

	target->u.user.target_size = REDIRECT_SIZE;
	strcpy(target->u.user.name, "REDIRECT");
	range->rangesize = 1;
	range->range[0].flags = NF_NAT_RANGE_PROTO_SPECIFIED;
	range->range[0].min.tcp.port = htons(port);
	range->range[0].max.tcp.port = htons(port);
}

static void write_target(char *out, const struct iptables_rule *rule)
{
	struct xt_standard_target *standard = (void *)out;

	if (rule->target == IPTABLES_REDIRECT) {
		write_redirect(out, rule->redirect_port);
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
	entry->next_offset = (uint16_t)entry_size(rule);
	if (has_ports(rule))
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
		size += entry_size(&table->rules[i]);
		entries++;
	}
	for (unsigned hook = 0; hook < IPTABLES_HOOKS; hook++) {
		if (hooks & 1U << hook) {
			size += entry_size(&plain);
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
			next += entry_size(&table->rules[i]);
		}
		const struct iptables_rule policy = {.target = table->policy[hook]};
		replace->underflow[hook] = (unsigned)(next - first);
		write_entry(next, &policy);
		next += entry_size(&policy);
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
