/* Cuts a byte stream into lines, whatever the sizes it arrives in. */
#ifndef GATEWAY_LINE_READER_H
#define GATEWAY_LINE_READER_H

#include <stdbool.h>
#include <stddef.h>

/** Longest line, newline included: a frontend with about 11,000 endpoints. */
#define LINE_LIMIT (256 * 1024)

struct line_reader {
	size_t begin;
	size_t end;
	bool skipping; /**< within a line that was too long */
	char bytes[LINE_LIMIT];
};

enum line_status {
	LINE_NONE,     /**< more bytes are needed */
	LINE_READY,    /**< a line is there */
	LINE_TOO_LONG, /**< a line was longer than LINE_LIMIT; it is skipped to its end */
};

/** Where to read the next bytes to, and how many at most (at least 1 after LINE_NONE). */
char *line_reader_space(struct line_reader *reader, size_t *size);

/** Notes that so many bytes were read there. */
void line_reader_add(struct line_reader *reader, size_t count);

/**
 * Takes the next line. With LINE_READY, *line is the line without its newline, NUL terminated and
 * writable until the next call of any of these functions, *length its length.
 */
enum line_status line_reader_next(struct line_reader *reader, char **line, size_t *length);

#endif
