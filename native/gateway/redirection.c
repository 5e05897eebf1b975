#include "gateway/redirection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/log.h"
#include "gateway/rules.h"
#include "gateway/socket.h"

/* Below gVisor's ephemeral ports, which begin at 16000, and far from what pods of the host network
 * listen on. */
static const struct rules_ports ports = {.accepting = 15999, .refusing = 15998};

/* Milliseconds before rules that could not be written are written again. */
#define RETRY 1000

/* The node's direct paths go before what leads to the gateway. */
static struct iptables_table lay_out(const struct redirection *redirection,
                                     struct iptables_rule rules[DIRECT_RULES_MAX + RULES_MAX])
{
	const struct gateway *gateway = redirection->gateway;
	struct endpoint refused[RULES_REFUSED_MAX];
	struct iptables_rule own[RULES_MAX];
	struct direct_common common;
	size_t count = 0;

	for (struct list *node = redirection->refused.next;
	     node != &redirection->refused && count < RULES_REFUSED_MAX; node = node->next)
		refused[count++] = list_object(node, struct frontend, refused)->key.address;
	struct iptables_table table = rules_for(&gateway->options, ports, refused, count, own);
	direct_choose(gateway, &common);
	const size_t direct = direct_rules(
	    gateway, gateway->options.bridge_address, &common, &redirection->uses,
	    IPTABLES_SIZE_MAX - iptables_nat_size(table.rules, table.rule_count), rules);
	memcpy(&rules[direct], own, table.rule_count * sizeof(*rules));
	table.rules = rules;
	table.rule_count += direct;
	return table;
}

static int write_rules(struct redirection *redirection, struct failure *failure)
{
	struct iptables_rule rules[DIRECT_RULES_MAX + RULES_MAX];
	const struct iptables_table table = lay_out(redirection, rules);

	if (iptables_rules_equal(rules, table.rule_count, redirection->written,
	                         redirection->written_count))
		return 0;
	struct iptables_rule *written = calloc(table.rule_count, sizeof(*written));
	if (written == NULL)
		return fail(failure, ENOMEM, "lay out the node's rules");
	int status = iptables_replace(&table, failure);
	if (status < 0) {
		free(written);
		return status;
	}
	memcpy(written, rules, table.rule_count * sizeof(*written));
	free(redirection->written);
	redirection->written = written;
	redirection->written_count = table.rule_count;
	return 0;
}

static int listen_on_ports(struct redirection *redirection, struct failure *failure)
{
	const struct endpoint accepting = {.address = INADDR_ANY, .port = ports.accepting};
	const struct endpoint refusing = {.address = INADDR_ANY, .port = ports.refusing};
	int status = tcp_listener_open(&redirection->accepting, false, accepting, NULL);

	if (status < 0)
		return fail(failure, -status, "listen on port %d", ports.accepting);
	redirection->refusing = socket_reserve(redirection->gateway, refusing);
	if (redirection->refusing < 0)
		return fail(failure, -redirection->refusing, "reserve port %d", ports.refusing);
	return 0;
}

static void retry_expired(struct deadline *deadline)
{
	redirection_apply(list_object(deadline, struct redirection, retry));
}

int redirection_open(struct gateway *gateway, struct redirection *redirection,
                     struct failure *failure)
{
	*redirection = (struct redirection){.gateway = gateway, .refusing = -1};
	gateway->redirection = redirection;
	list_init(&redirection->refused);
	deadline_queue_init(&gateway->loop, &redirection->retries, RETRY);
	deadline_init(&redirection->retry, retry_expired);
	tcp_listener_init(gateway, &redirection->accepting);
	int status = listen_on_ports(redirection, failure);
	return status < 0 ? status : write_rules(redirection, failure);
}

void redirection_close(struct redirection *redirection)
{
	const struct iptables_table none = rules_none();
	struct failure failure;

	if (iptables_replace(&none, &failure) < 0)
		log_line("%s", failure.message);
	deadline_clear(&redirection->retry);
	deadline_queue_end(&redirection->retries);
	tcp_listener_close(&redirection->accepting);
	close(redirection->refusing);
	free(redirection->written);
}

void redirection_changed(struct redirection *redirection)
{
	if (redirection->gateway->options.direct)
		redirection->changed = true;
}

void redirection_used(struct redirection *redirection, struct frontend_key key)
{
	if (direct_note(&redirection->uses, key))
		redirection->changed = true;
}

void redirection_refuse(struct redirection *redirection, struct frontend *frontend, bool refuse)
{
	bool refused = !list_empty(&frontend->refused);

	if (refuse == refused)
		return;
	list_remove(&frontend->refused);
	if (refuse)
		list_append(&redirection->refused, &frontend->refused);
	redirection->changed = true;
}

void redirection_apply(struct redirection *redirection)
{
	struct failure failure;

	if (!redirection->changed)
		return;
	if (write_rules(redirection, &failure) == 0) {
		redirection->changed = false;
		deadline_clear(&redirection->retry);
		return;
	}
	log_line("%s", failure.message);
	deadline_set(&redirection->gateway->loop, &redirection->retries, &redirection->retry);
}
