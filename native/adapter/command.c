#include "adapter/command.h"

#include <stdbool.h>
#include <string.h>

/*
 * Flags that take a value as an argument of its own ("--root /run" besides "--root=/run"), of runc
 * itself and of the two commands.
 */
static const char *const valued[] = {
    "root",           "log",      "log-format",   "criu",         "rootless", "bundle", "b",
    "console-socket", "pid-file", "pidfd-socket", "preserve-fds",
};

/* The flag's name without its dashes, NULL for what is none. */
static const char *flag_name(const char *argument)
{
	size_t dashes = strspn(argument, "-");

	return dashes == 0 || dashes > 2 || argument[dashes] == '\0' ? NULL : argument + dashes;
}

static bool is_named(const char *flag, const char *name)
{
	size_t length = strlen(name);

	return strncmp(flag, name, length) == 0 && (flag[length] == '\0' || flag[length] == '=');
}

static bool takes_value(const char *flag)
{
	for (size_t i = 0; i < sizeof valued / sizeof valued[0]; i++)
		if (is_named(flag, valued[i]))
			return flag[strlen(valued[i])] == '\0';
	return false;
}

static enum command_kind kind_of(const char *name)
{
	if (strcmp(name, "create") == 0)
		return COMMAND_CREATE;
	return strcmp(name, "delete") == 0 ? COMMAND_DELETE : COMMAND_OTHER;
}

struct command command_read(const char *const *arguments)
{
	struct command command = {.kind = COMMAND_OTHER};
	const char *name = NULL;

	for (; *arguments != NULL; arguments++) {
		const char *flag = flag_name(*arguments), *value;

		if (flag == NULL && name == NULL) {
			name = *arguments;
			command.kind = kind_of(name);
			continue;
		}
		if (flag == NULL) {
			command.id = *arguments;
			continue;
		}
		value = strchr(flag, '=');
		value = value == NULL ? NULL : value + 1;
		if (takes_value(flag)) {
			value = *++arguments;
			if (value == NULL)
				return (struct command){.kind = COMMAND_OTHER};
		}
		if (is_named(flag, "log"))
			command.log = value;
		if (is_named(flag, "bundle") || is_named(flag, "b"))
			command.bundle = value;
	}
	if (command.bundle == NULL)
		command.bundle = ".";
	return command;
}
