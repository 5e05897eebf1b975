#include "init/operations/operation.h"

#include "init/status.h"

#include <errno.h>
#include <string.h>

static int check_key(const char *key, struct failure *failure)
{
	if (*key == '\0' || strchr(key, '=') != NULL)
		return fail_input(failure, "Bad variable name \"%s\": expected one without \"=\"",
		                  key);
	return 0;
}

static int set_variable(struct strings *environment, const char *key, const char *value,
                        struct failure *failure)
{
	int error = check_key(key, failure);

	if (error != 0)
		return error;
	error = strings_set(environment, key, value);
	return error != 0 ? fail(failure, -error, "set variable %s", key) : 0;
}

int operation_environment(struct supervisor *supervisor, char **arguments, struct failure *failure)
{
	return set_variable(&supervisor->environment, arguments[0], arguments[1], failure);
}

int operation_process(struct supervisor *supervisor, char **arguments, struct failure *failure)
{
	enum policy policy;

	if (process_parse_policy(arguments[1], &policy) != 0)
		return fail_input(failure,
		                  "Unknown policy \"%s\": expected essential, restart or helper",
		                  arguments[1]);
	if (supervisor_declare(supervisor, arguments[0], policy, arguments[2], failure) == NULL)
		return -EINVAL;
	return 0;
}

int operation_argument(struct supervisor *supervisor, char **arguments, struct failure *failure)
{
	struct process *process = supervisor_find(supervisor, arguments[0], failure);
	int error;

	if (process == NULL)
		return -EINVAL;
	error = strings_add(&process->arguments, arguments[1]);
	return error != 0 ? fail(failure, -error, "add an argument of %s", arguments[0]) : 0;
}

int operation_process_environment(struct supervisor *supervisor, char **arguments,
                                  struct failure *failure)
{
	struct process *process = supervisor_find(supervisor, arguments[0], failure);

	if (process == NULL)
		return -EINVAL;
	return set_variable(&process->environment, arguments[1], arguments[2], failure);
}

int operation_uplink(struct supervisor *supervisor, char **arguments, struct failure *failure)
{
	struct process *process = supervisor_find(supervisor, arguments[0], failure);

	if (process == NULL)
		return -EINVAL;
	process->has_uplink = true;
	return 0;
}

int operation_start(struct supervisor *supervisor, char **arguments, struct failure *failure)
{
	struct process *process = supervisor_find(supervisor, arguments[0], failure);

	return process == NULL ? -EINVAL : supervisor_start(supervisor, process, failure);
}

int operation_await(struct supervisor *supervisor, char **arguments, struct failure *failure)
{
	struct process *process = supervisor_find(supervisor, arguments[0], failure);

	return process == NULL ? -EINVAL : supervisor_await(supervisor, process, failure);
}

int operation_ready(struct supervisor *supervisor, char **arguments, struct failure *failure)
{
	(void)arguments;
	(void)failure;
	status_ready(supervisor->status_fd);
	return 0;
}
