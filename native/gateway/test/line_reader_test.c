#include "gateway/line_reader.h"

#include "lib/test/tap.h"

#include <stdlib.h>
#include <string.h>

static void feed(struct line_reader *reader, const char *bytes, size_t count)
{
	while (count > 0) {
		size_t space;
		char *out = line_reader_space(reader, &space);
		size_t part = count < space ? count : space;

		memcpy(out, bytes, part);
		line_reader_add(reader, part);
		bytes += part;
		count -= part;
	}
}

static void pieces(void)
{
	struct line_reader *reader = calloc(1, sizeof(*reader));
	char *line;
	size_t length;

	check_number(line_reader_next(reader, &line, &length), LINE_NONE, "nothing yet");
	feed(reader, "be", 2);
	check_number(line_reader_next(reader, &line, &length), LINE_NONE, "half a line");
	feed(reader, "gin\n\nend\nst", 11);
	check_number(line_reader_next(reader, &line, &length), LINE_READY, "its other half");
	check_text(line, "begin", "makes it whole");
	check_number(line_reader_next(reader, &line, &length), LINE_READY, "an empty line");
	check_number((long)length, 0, "is empty");
	check_number(line_reader_next(reader, &line, &length), LINE_READY, "one more");
	check_text(line, "end", "behind it");
	check_number(line_reader_next(reader, &line, &length), LINE_NONE, "the rest waits");
	feed(reader, "ats\n", 4);
	check_number(line_reader_next(reader, &line, &length), LINE_READY, "for its end");
	check_text(line, "stats", "and is whole");
	free(reader);
}

static void long_lines(void)
{
	struct line_reader *reader = calloc(1, sizeof(*reader));
	char *many = malloc(LINE_LIMIT);
	char *line;
	size_t length;

	memset(many, 'x', LINE_LIMIT);
	many[LINE_LIMIT - 1] = '\n';
	feed(reader, many, LINE_LIMIT);
	check_number(line_reader_next(reader, &line, &length), LINE_READY, "the longest line");
	check_number((long)length, LINE_LIMIT - 1, "is read whole");

	many[LINE_LIMIT - 1] = 'x';
	feed(reader, many, LINE_LIMIT);
	check_number(line_reader_next(reader, &line, &length), LINE_TOO_LONG,
	             "a longer one is told");
	check_number(line_reader_next(reader, &line, &length), LINE_NONE, "once");
	feed(reader, many, LINE_LIMIT);
	check_number(line_reader_next(reader, &line, &length), LINE_NONE, "however long it is");
	feed(reader, "xx\nend\n", 7);
	check_number(line_reader_next(reader, &line, &length), LINE_READY,
	             "and skipped to its end");
	check_text(line, "end", "where the next begins");
	free(many);
	free(reader);
}

int main(void)
{
	pieces();
	long_lines();
	return tap_done();
}
