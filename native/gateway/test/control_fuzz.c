/*
 * Control protocol: whatever comes, in whatever pieces, is cut into the same lines; each is read or
 * refused with a reason; the table does what the lines say; and every
 * pod's rules can be laid out.
 */
#include "gateway/command.h"
#include "gateway/gateway.h"
#include "gateway/line_reader.h"
#include "gateway/pod_rules.h"

#include <stdlib.h>
#include <string.h>

#define NAT_HOOKS                                                                                  \
	(1U << IPTABLES_PREROUTING | 1U << IPTABLES_INPUT | 1U << IPTABLES_OUTPUT |                \
	 1U << IPTABLES_POSTROUTING)

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static bool has_pod(const struct pods *pods, const char *container)
{
	for (struct list *node = pods->pods.next; node != &pods->pods; node = node->next)
		if (strcmp(list_object(node, struct pod, node)->container, container) == 0)
			return true;
	return false;
}

static void apply_to_pods(struct pods *pods, struct command *command)
{
	struct failure failure;

	switch (command->verb) {
	case COMMAND_ATTACH:
		if (pods_attach(pods, &command->pod, &failure) == 0) {
			const struct pod *pod = pods_find(pods, command->pod.address);
			require(strcmp(pod->name, command->pod.name) == 0);
			require(has_pod(pods, command->pod.container));
		}
		break;
	case COMMAND_DETACH:
		require(pods_detach(pods, command->pod.container, &failure) == 0);
		require(!has_pod(pods, command->pod.container));
		break;
	case COMMAND_ISOLATE:
		pods_set_policy(pods, command->policy);
		command->policy = NULL;
		break;
	case COMMAND_RELEASE:
		pods_delete_policy(pods, command->direction, command->name);
		require(policy_table_find(&pods->policies, command->direction, command->name) ==
		        NULL);
		break;
	case COMMAND_OWN:
		require(pods_set_owner(pods, command->name) == 0);
		break;
	case COMMAND_DISOWN:
		pods_delete_owner(pods, command->name);
		require(!pods_delete_owner(pods, command->name));
		break;
	case COMMAND_BEGIN:
		pods_begin(pods);
		break;
	case COMMAND_END:
		pods_commit(pods);
		break;
	case COMMAND_SET:
	case COMMAND_DEL:
	case COMMAND_STATS:
	case COMMAND_WATCH:
		break;
	}
}

static void apply(struct table *table, const struct command *command)
{
	struct frontend *frontend = table_find(table, command->frontend);

	switch (command->verb) {
	case COMMAND_SET:
		frontend = table_set(table, command->frontend, command->affinity_seconds,
		                     command->endpoints, command->endpoint_count);
		require(frontend == table_find(table, command->frontend));
		require(frontend->endpoint_count == command->endpoint_count);
		if (command->endpoint_count > 0) {
			size_t index = frontend_choose(frontend, 1, 0);
			require(index < command->endpoint_count);
			frontend_remember(frontend, 1, frontend->endpoints[index], 0);
		}
		break;
	case COMMAND_DEL:
		if (frontend != NULL)
			table_remove(table, frontend);
		require(table_find(table, command->frontend) == NULL);
		break;
	case COMMAND_BEGIN:
		table_begin(table);
		break;
	case COMMAND_END:
		while ((frontend = table_stale(table)) != NULL)
			table_remove(table, frontend);
		break;
	default:
		break;
	}
}

/* Every pod's rules can be written, and known for ours when they are read. */
static void lay_out(const struct gateway *gateway)
{
	const struct list *pods = &gateway->pods.pods;
	struct pod_rules_source source;

	require(pod_rules_begin(gateway, &source) == 0);
	for (struct list *node = pods->next; node != pods; node = node->next) {
		struct iptables_rule *rules;
		const struct pod *pod = list_object(node, struct pod, node);
		const ssize_t count = pod_rules(&source, pod, EXTENT_ALL, &rules);
		const struct iptables_contents contents = {.rules = rules,
		                                           .rule_count = (size_t)count};
		const struct iptables_table table = {
		    .name = "nat", .rules = rules, .rule_count = (size_t)count};
		struct iptables_blob blob;
		require(pod_rules_are_ours(&contents));
		require(iptables_build(&table, NAT_HOOKS, &blob) == 0);
		free(blob.bytes);
		free(rules);
	}
	pod_rules_end(&source);
}

static void run_line(struct gateway *gateway, char *line, size_t length)
{
	struct command command;
	struct failure failure = {0};

	require(strlen(line) <= length);
	if (command_parse(line, length, &command, &failure) == 0) {
		apply(&gateway->table, &command);
		apply_to_pods(&gateway->pods, &command);
		pods_settle(&gateway->pods);
		lay_out(gateway);
	} else {
		require(failure.message[0] != '\0' && command.endpoints == NULL &&
		        command.policy == NULL);
	}
	command_free(&command);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct line_reader reader;
	static struct gateway gateway;
	size_t piece = size > 0 ? data[0] + 1U : 1, lines = 0, newlines = 0;

	gateway = (struct gateway){.options = {.direct = true, .bridge_address = 0x0a2a0001}};
	require(cidr_parse("10.42.0.0/16", &gateway.options.pod_cidr) == 0);
	require(cidr_parse("10.43.0.0/16", &gateway.options.service_cidr) == 0);
	table_init(&gateway.table);
	require(pods_init(&gateway.pods) == 0);
	reader.begin = reader.end = 0;
	reader.skipping = false;
	for (size_t i = 0; i < size;) {
		size_t space;
		char *out = line_reader_space(&reader, &space);
		size_t count = size - i < piece ? size - i : piece;

		count = count < space ? count : space;
		require(count > 0);
		memcpy(out, data + i, count);
		line_reader_add(&reader, count);
		i += count;
		char *line;
		size_t length;
		while (line_reader_next(&reader, &line, &length) == LINE_READY) {
			run_line(&gateway, line, length);
			lines++;
		}
	}
	for (size_t i = 0; i < size; i++)
		newlines += data[i] == '\n';
	require(size >= LINE_LIMIT || lines == newlines);

	table_begin(&gateway.table);
	for (struct frontend *stale; (stale = table_stale(&gateway.table)) != NULL;)
		table_remove(&gateway.table, stale);
	require(gateway.table.by_key.count == 0);
	map_free(&gateway.table.by_key);
	pods_end(&gateway.pods);
	return 0;
}
