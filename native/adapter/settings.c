#include "adapter/settings.h"

#include "lib/fields.h"

#include <string.h>

static int take(char **fields, struct settings *out, struct failure *failure)
{
	const char *name = fields[0], *value = fields[1];

	if (strcmp(name, "state") == 0)
		out->state = value;
	else if (strcmp(name, "log") == 0)
		out->log = value;
	else if (strcmp(name, "sysctls") == 0)
		out->sysctls = value;
	else if (strcmp(name, "workaround") == 0 && out->workaround_count < SETTINGS_WORKAROUNDS)
		out->workarounds[out->workaround_count++] = value;
	else
		return fail_input(failure, "Unexpected setting \"%s\"", name);
	return 0;
}

int settings_read(char *text, struct settings *out, struct failure *failure)
{
	char *rest = text;

	*out = (struct settings){0};
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		char *fields[2];
		int result;

		if (*line == '\0')
			continue;
		if (fields_split(line, fields, 2) != 2)
			return fail_input(failure,
			                  "Bad setting \"%s\": expected a name and a value", line);
		result = take(fields, out, failure);
		if (result != 0)
			return result;
	}
	if (out->state == NULL || out->log == NULL || out->sysctls == NULL)
		return fail_input(failure, "Missing setting: expected state, log and sysctls");
	return 0;
}

bool settings_have(const struct settings *settings, const char *workaround)
{
	for (size_t i = 0; i < settings->workaround_count; i++)
		if (strcmp(settings->workarounds[i], workaround) == 0)
			return true;
	return false;
}
