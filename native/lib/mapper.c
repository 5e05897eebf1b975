#include "lib/mapper.h"

#include "lib/cleanup.h"
#include "lib/io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAID_MAXIMUM 4096

/* After fork. Our signals may be blocked, and what it says must reach us alone. */
static void become(char *const *arguments, int said)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(said, STDOUT_FILENO) >= 0 && dup2(said, STDERR_FILENO) >= 0)
		execv(arguments[0], arguments);
	dprintf(said, "Failed to execute %s: %s", arguments[0], strerror(errno));
	_exit(127);
}

static int add_arguments(struct strings *all, const struct strings *arguments, pid_t pid)
{
	char number[12];
	int error = 0;

	for (size_t i = 0; i < arguments->count && error == 0; i++)
		error = strings_add(all, arguments->items[i]);
	snprintf(number, sizeof number, "%d", (int)pid);
	return error != 0 ? error : strings_add(all, number);
}

/* The exit status as waitpid(2) gives it, and what it said, to be freed; or -errno. */
static int run(char *const *arguments, int *status, char **said)
{
	cleanup_fd int from = -1, to = -1;
	int ends[2];
	pid_t child;
	int error;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -errno;
	from = ends[0];
	to = ends[1];
	child = fork();
	if (child < 0)
		return -errno;
	if (child == 0)
		become(arguments, to);
	close(steal_fd(&to));
	error = io_read(from, SAID_MAXIMUM, said, NULL);
	if (error != 0)
		kill(child, SIGKILL);
	while (waitpid(child, status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return error;
}

int mapper_run(const struct strings *arguments, pid_t pid, struct failure *failure)
{
	cleanup_free char *said = NULL;
	struct strings all = {0};
	int status = 0;
	int error = add_arguments(&all, arguments, pid);

	if (error == 0)
		error = run(all.items, &status, &said);
	strings_free(&all);
	if (error != 0)
		return fail(failure, -error, "run %s", arguments->items[0]);
	if (status == 0)
		return 0;
	for (char *at = said; *at != '\0'; at++)
		if (*at == '\n')
			*at = at[1] == '\0' ? '\0' : ' ';
	if (*said == '\0')
		return fail(failure, EPERM, "map ids by %s, which ended with status %d",
		            arguments->items[0], WEXITSTATUS(status));
	failure->error = EPERM;
	snprintf(failure->message, sizeof failure->message, "%.400s (said by %.80s)", said,
	         arguments->items[0]);
	return -EPERM;
}
