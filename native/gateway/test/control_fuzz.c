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
	case COMMAND_STATS:
		break;
	}
}

static void run_line(struct table *table, char *line, size_t length)
{
	struct command command;
	struct failure failure = {0};

	require(strlen(line) <= length);
	if (command_parse(line, length, &command, &failure) == 0)
		apply(table, &command);
	else
		require(failure.message[0] != '\0' && command.endpoints == NULL);
	free(command.endpoints);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct line_reader reader;
	struct table table;
	size_t piece = size > 0 ? data[0] + 1U : 1, lines = 0, newlines = 0;

	table_init(&table);
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
			run_line(&table, line, length);
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
	return 0;
}
