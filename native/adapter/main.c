/*
 * adapter: stands between containerd's shim and runc, as the runtime's BinaryName. Before runc
 * creates a container it changes what gVisor has otherwise in the bundle's config.json; everything
 * else is runc's. It reads what to do from the file "settings" beside the name that it is called
 * by. Called as "adapter mount-sysctls", it is a hook of runc's.
 */
#include "adapter/adapt.h"
#include "adapter/hook.h"
#include "adapter/state.h"
#include "lib/cleanup.h"
#include "lib/die.h"
#include "lib/io.h"
#include "lib/json_print.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Found in PATH, as the shim itself would find it. */
#define RUNC "runc"
#define SETTINGS_MAXIMUM (64 * 1024)

/* Where containerd looks for what went wrong, in runc's form (--log-format json). */
static void log_failure(const char *path, const struct failure *failure)
{
	FILE *stream = path == NULL ? NULL : fopen(path, "ae");

	if (stream == NULL)
		return;
	fputs("{\"level\":\"error\",\"msg\":", stream);
	json_print_string(stream, failure->message);
	fputs("}\n", stream);
	fclose(stream);
}

static int read_settings(const char *program, char **text, struct settings *out,
                         struct failure *failure)
{
	const char *slash = strrchr(program, '/');
	char path[PATH_MAX];
	int result;

	if (slash == NULL || snprintf(path, sizeof path, "%.*s/settings", (int)(slash - program),
	                              program) >= (int)sizeof path)
		return fail_input(failure, "Bad name of this program %s: expected its path",
		                  program);
	result = io_read_file(path, SETTINGS_MAXIMUM, text, NULL);
	if (result != 0)
		return fail(failure, -result, "read %s", path);
	return settings_read(*text, out, failure);
}

static int prepare(char **arguments, const struct command *command, struct failure *failure)
{
	cleanup_free char *text = NULL;
	struct settings settings = {0};
	int result = read_settings(arguments[0], &text, &settings, failure);

	if (result != 0)
		return result;
	if (command->kind == COMMAND_DELETE)
		return state_remove(settings.state, command->id, failure);
	return adapt(&settings, command, arguments[0], failure);
}

int main(int count, char **arguments)
{
	struct failure failure;
	struct command command;

	if (count >= 2 && strcmp(arguments[1], HOOK_WORD) == 0) {
		if (hook_run(arguments + 2, count - 2, &failure) != 0)
			die(&failure);
		return 0;
	}
	if (count == 0)
		die_usage("usage: adapter COMMAND... (as runc's)");
	command = command_read((const char *const *)arguments + 1);
	if (command.kind != COMMAND_OTHER && command.id != NULL &&
	    prepare(arguments, &command, &failure) != 0) {
		log_failure(command.log, &failure);
		/* What is left of a container must not keep it from being deleted. */
		if (command.kind == COMMAND_CREATE)
			die(&failure);
	}
	execvp(RUNC, arguments);
	die_errno("execute " RUNC "");
}
