#include "gateway/line_reader.h"

#include <string.h>

char *line_reader_space(struct line_reader *reader, size_t *size)
{
	if (reader->begin > 0) {
		memmove(reader->bytes, reader->bytes + reader->begin, reader->end - reader->begin);
		reader->end -= reader->begin;
		reader->begin = 0;
	}
	*size = sizeof(reader->bytes) - reader->end;
	return reader->bytes + reader->end;
}

void line_reader_add(struct line_reader *reader, size_t count)
{
	reader->end += count;
}

enum line_status line_reader_next(struct line_reader *reader, char **line, size_t *length)
{
	char *begin = reader->bytes + reader->begin;
	char *newline = memchr(begin, '\n', reader->end - reader->begin);

	if (newline == NULL) {
		bool full = reader->end - reader->begin == sizeof(reader->bytes);
		bool first = full && !reader->skipping;
		if (full || reader->skipping) {
			reader->begin = reader->end = 0;
			reader->skipping = true;
		}
		return first ? LINE_TOO_LONG : LINE_NONE;
	}
	reader->begin += (size_t)(newline - begin) + 1;
	if (reader->skipping) {
		reader->skipping = false;
		return line_reader_next(reader, line, length);
	}
	*newline = '\0';
	*line = begin;
	*length = (size_t)(newline - begin);
	return LINE_READY;
}
