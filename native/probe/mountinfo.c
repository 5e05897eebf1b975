#include "probe/mountinfo.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool has_option(char *list, const char *option)
{
	char *rest = NULL;

	for (char *item = strtok_r(list, ",", &rest); item != NULL;
	     item = strtok_r(NULL, ",", &rest))
		if (strcmp(item, option) == 0)
			return true;
	return false;
}

/* The mount point, if the line is an entry that is looked for; NULL otherwise. */
static const char *match(char *line, const char *type, const char *option)
{
	/* 36 35 98:0 /root /point options optional... - type source super-options */
	char *separator = strstr(line, " - ");
	char *fields[5], *rest = NULL, *found_type, *super_options;

	if (separator == NULL)
		return NULL;
	*separator = '\0';
	for (size_t i = 0; i < 5; i++) {
		fields[i] = strtok_r(i == 0 ? line : NULL, " ", &rest);
		if (fields[i] == NULL)
			return NULL;
	}
	found_type = strtok_r(separator + 3, " ", &rest);
	if (found_type == NULL || strcmp(found_type, type) != 0 ||
	    strtok_r(NULL, " ", &rest) == NULL)
		return NULL;
	super_options = strtok_r(NULL, " ", &rest);
	if (option != NULL && (super_options == NULL || !has_option(super_options, option)))
		return NULL;
	return fields[4];
}

int mountinfo_find(char *text, const char *type, const char *option, char *out, size_t size)
{
	int result = -ENOENT;
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		const char *point = match(line, type, option);

		if (point != NULL)
			result =
			    (size_t)snprintf(out, size, "%s", point) < size ? 0 : -ENAMETOOLONG;
	}
	return result;
}
