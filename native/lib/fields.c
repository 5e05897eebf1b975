#include "lib/fields.h"

#include <errno.h>

static int unescaped(char escape)
{
	switch (escape) {
	case '\\':
		return '\\';
	case 't':
		return '\t';
	case 'n':
		return '\n';
	default:
		return -1;
	}
}

static char escape_of(char character)
{
	switch (character) {
	case '\\':
		return '\\';
	case '\t':
		return 't';
	case '\n':
		return 'n';
	default:
		return '\0';
	}
}

int fields_split(char *line, char **fields, size_t capacity)
{
	size_t count = 0;
	char *to = line;

	if (capacity == 0)
		return -E2BIG;
	fields[count++] = to;
	for (const char *from = line; *from != '\0'; from++) {
		if (*from == '\t') {
			if (count == capacity)
				return -E2BIG;
			*to++ = '\0';
			fields[count++] = to;
		} else if (*from == '\\') {
			int character = unescaped(*++from);

			if (character < 0)
				return -EINVAL;
			*to++ = (char)character;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
	return (int)count;
}

int fields_escape(const char *text, char *out, size_t size)
{
	size_t length = 0;

	for (; *text != '\0'; text++) {
		char escape = escape_of(*text);

		if (length + 3 > size)
			return -ENAMETOOLONG;
		if (escape != '\0') {
			out[length++] = '\\';
			out[length++] = escape;
		} else {
			out[length++] = *text;
		}
	}
	if (length + 1 > size)
		return -ENAMETOOLONG;
	out[length] = '\0';
	return (int)length;
}
