#include "interceptor/path.h"

#include <errno.h>
#include <string.h>

const char *path_below(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	if (strncmp(path, directory, length) != 0)
		return NULL;
	return path[length] == '/' || path[length] == '\0' ? path + length : NULL;
}

const char *path_last(const char *path, size_t *length)
{
	const char *end = path + strlen(path);
	const char *begin;

	while (end > path && end[-1] == '/')
		end--;
	begin = end;
	while (begin > path && begin[-1] != '/')
		begin--;
	*length = (size_t)(end - begin);
	return begin;
}

/* procfs makes /proc and everything below /proc/sys; none of them is a symbolic link. */
static bool is_known_directory(const char *text)
{
	return strcmp(text, "/proc") == 0 || path_below(text, "/proc/sys") != NULL;
}

static bool is_dots(const char *component, size_t length)
{
	return length <= 2 && strncmp(component, "..", length) == 0;
}

/* Takes the last component off "/a/b"; the parent of "" (the root) is itself. */
static size_t parent_length(const char *text, size_t length)
{
	while (length > 0 && text[length] != '/')
		length--;
	return length;
}

int path_resolve(const char *base, const char *path, struct resolved *resolved)
{
	char *text = resolved->text;
	size_t length = 0; /* of the result so far, without a slash at its end */
	size_t known;      /* as much of it is free of symbolic links */

	if (path[0] != '/') {
		length = strlen(base);
		if (base[0] != '/')
			return -EINVAL;
		if (length >= resolved->size)
			return -ENAMETOOLONG;
		memcpy(text, base, length);
		while (length > 0 && text[length - 1] == '/')
			length--;
	}
	text[length] = '\0';
	known = length;
	resolved->is_directory = false;
	while (*path != '\0') {
		size_t component = strcspn(path, "/");

		resolved->is_directory = path[component] == '/' || is_dots(path, component);
		if (component == 2 && is_dots(path, component)) {
			if (length > known)
				return -EINVAL;
			length = parent_length(text, length);
			text[length] = '\0';
			known = length;
		} else if (!is_dots(path, component)) {
			if (length + 1 + component >= resolved->size)
				return -ENAMETOOLONG;
			text[length++] = '/';
			memcpy(text + length, path, component);
			length += component;
			text[length] = '\0';
			if (is_known_directory(text))
				known = length;
		}
		path += component;
		path += strspn(path, "/");
	}
	if (length == 0) {
		if (resolved->size < 2)
			return -ENAMETOOLONG;
		memcpy(text, "/", 2);
		resolved->is_directory = true;
	}
	return 0;
}
