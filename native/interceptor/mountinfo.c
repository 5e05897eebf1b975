#include "interceptor/mountinfo.h"

#include "interceptor/path.h"

#include <string.h>

/* mount id, parent id, device, root, mount point, options; then the optional fields and a "-". */
enum { FIRST_OPTIONAL_FIELD = 6 };

/* Where in the line the added field belongs, or 0 if the mount needs none. */
static size_t place(const char *line, size_t length)
{
	size_t at = 0;

	for (int field = 0; at < length; field++) {
		const char *text = line + at;
		const char *space = memchr(text, ' ', length - at);
		size_t size = space == NULL ? length - at : (size_t)(space - text);

		if (field >= FIRST_OPTIONAL_FIELD) {
			if (size == 1 && text[0] == '-')
				return at;
			if ((size > 7 && strncmp(text, "shared:", 7) == 0) ||
			    (size == 10 && strncmp(text, "unbindable", 10) == 0))
				return 0;
		}
		at += size + 1;
	}
	return 0; /* no line of mountinfo */
}

size_t mountinfo_share(const char *text, size_t length, char *out)
{
	const char *end = text + length;
	char *next = out;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t size = newline == NULL ? (size_t)(end - text) : (size_t)(newline + 1 - text);
		size_t before = place(text, newline == NULL ? size : size - 1);

		memcpy(next, text, before);
		next += before;
		if (before > 0) {
			memcpy(next, MOUNTINFO_SHARED, strlen(MOUNTINFO_SHARED));
			next += strlen(MOUNTINFO_SHARED);
		}
		memcpy(next, text + before, size - before);
		next += size - before;
		text += size;
	}
	return (size_t)(next - out);
}

size_t mountinfo_room(const char *text, size_t length)
{
	size_t lines = 1;

	for (size_t i = 0; i < length; i++)
		lines += text[i] == '\n';
	return length + lines * strlen(MOUNTINFO_SHARED);
}

static size_t digits(const char *text)
{
	return strspn(text, "0123456789");
}

static size_t word(const char *text, const char *expected)
{
	size_t length = strlen(expected);

	return strncmp(text, expected, length) == 0 ? length : 0;
}

bool mountinfo_path(const char *path, const char **process, size_t *length)
{
	const char *rest = path_below(path, "/proc");
	size_t size;

	if (rest == NULL || rest[0] != '/')
		return false;
	*process = ++rest;
	size = word(rest, "thread-self");
	if (size == 0) {
		size = word(rest, "self");
		if (size == 0)
			size = digits(rest);
		if (size == 0)
			return false;
		if (word(rest + size, "/task/") > 0 && digits(rest + size + 6) > 0)
			size += 6 + digits(rest + size + 6);
	}
	*length = size;
	return strcmp(rest + size, "/mountinfo") == 0;
}
