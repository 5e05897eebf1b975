/*
 * Lines of TAB separated fields, the form of the launch file and of the status lines. In a field
 * a backslash, a TAB and a newline are written \\, \t and \n.
 */
#ifndef LIB_FIELDS_H
#define LIB_FIELDS_H

#include <stddef.h>

/**
 * Splits the line at its TABs and unescapes each field, in place.
 * The line is NUL terminated, without its newline; fields[i] point into it.
 * Returns the number of fields (at least 1), -E2BIG if there are more than `capacity`, or -EINVAL
 * for a backslash that begins no escape.
 */
int fields_split(char *line, char **fields, size_t capacity);

/**
 * Writes the text, escaped and NUL terminated, into out.
 * Returns its length, or -ENAMETOOLONG if it does not fit in `size` bytes.
 */
int fields_escape(const char *text, char *out, size_t size);

#endif
