/*
 * Control protocol: whatever comes, in whatever pieces, is cut into the same lines; each is read or
 * refused with a reason; and the table does what the lines say.
 */
#include "gateway/command.h"
#include "gateway/line_reader.h"

#include <stdlib.h>
#include <string.h>

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
	case COMMAND_BEGIN:
		pods_begin(pods);
		break;
	case COMMAND_END:
		pods_commit(pods);
		break;
	case COMMAND_SET:
	case COMMAND_DEL:
	case COMMAND_STATS:
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

static void run_line(struct table *table, struct pods *pods, char *line, size_t length)
{
	struct command command;
	struct failure failure = {0};

	require(strlen(line) <= length);
	if (command_parse(line, length, &command, &failure) == 0) {
		apply(table, &command);
		apply_to_pods(pods, &command);
	} else {
		require(failure.message[0] != '\0' && command.endpoints == NULL &&
		        command.policy == NULL);
	}
	command_free(&command);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct line_reader reader;
	struct table table;
	struct pods pods;
	size_t piece = size > 0 ? data[0] + 1U : 1, lines = 0, newlines = 0;

	table_init(&table);
	require(pods_init(&pods) == 0);
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
			run_line(&table, &pods, line, length);
			lines++;
		}
	}
	for (size_t i = 0; i < size; i++)
		newlines += data[i] == '\n';
	require(size >= LINE_LIMIT || lines == newlines);

	table_begin(&table);
	for (struct frontend *stale; (stale = table_stale(&table)) != NULL;)
		table_remove(&table, stale);
	require(table.by_key.count == 0);
	map_free(&table.by_key);
	pods_end(&pods);
	return 0;
}
