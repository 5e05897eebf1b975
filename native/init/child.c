#include "init/child.h"

#include "init/operations/operation.h"
#include "init/signals.h"
#include "init/status.h"
#include "init/supervisor.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Becomes root of the user namespace, whoever the runner's user is. */
static int become_root(const struct launch *launch, struct failure *failure)
{
	if (!launch->deny_setgroups && setgroups(0, NULL) != 0)
		return fail(failure, errno, "drop the supplementary groups");
	if (setresgid(0, 0, 0) != 0)
		return fail(failure, errno, "become group 0 of the user namespace");
	if (setresuid(0, 0, 0) != 0)
		return fail(failure, errno, "become user 0 of the user namespace");
	return 0;
}

static int wait_for_permission(int fd)
{
	char byte;
	ssize_t received;

	do
		received = read(fd, &byte, sizeof byte);
	while (received < 0 && errno == EINTR);
	close(fd);
	return received == 1 ? 0 : -ESRCH;
}

static int prepare(const struct launch *launch, struct supervisor *supervisor, int permission,
                   struct failure *failure)
{
	/*
	 * Killing the parent must end us. The permission is awaited after the call, so that a
	 * parent that died before it is noticed as well.
	 */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return fail(failure, errno, "ask for a signal at the parent's death");
	if (wait_for_permission(permission) != 0)
		return fail(failure, ESRCH, "wait for the parent");
	if ((launch->namespaces & CLONE_NEWUSER) != 0) {
		int error = become_root(launch, failure);

		if (error != 0)
			return error;
		/* Changing ids clears it: PR_SET_PDEATHSIG in prctl(2). */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
			return fail(failure, errno, "ask for a signal at the parent's death");
	}
	if (!supervisor->has_pid_namespace && prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
		return fail(failure, errno, "adopt orphaned processes");
	supervisor->signal_fd = signals_open();
	if (supervisor->signal_fd < 0)
		return fail(failure, -supervisor->signal_fd, "open a signalfd");
	umask(022);
	return 0;
}

static int apply(const struct launch *launch, struct supervisor *supervisor,
                 struct position *position, struct failure *failure)
{
	for (size_t i = 0; i < launch->operation_count; i++) {
		struct operation *operation = &launch->operations[i];
		int error;

		*position = (struct position){operation->line, operation->type->name};
		error = operation->type->apply(supervisor, operation->arguments, failure);
		if (error != 0)
			return error;
	}
	return 0;
}

int child_run(const struct launch *launch, int status_fd, int channel_fd, int permission)
{
	struct supervisor supervisor = {
	    .status_fd = status_fd,
	    .signal_fd = -1,
	    .channel_fd = channel_fd,
	    .has_pid_namespace = (launch->namespaces & CLONE_NEWPID) != 0,
	};
	struct position position = {.line = 0, .directive = "namespaces"};
	struct failure failure;

	if (prepare(launch, &supervisor, permission, &failure) != 0) {
		status_failed(status_fd, &position, &failure);
		return 1;
	}
	if (apply(launch, &supervisor, &position, &failure) != 0) {
		/* Nothing failed when we were told to end while we waited for a process. */
		if (supervisor.stage == STAGE_RUNNING || failure.error != EINTR)
			status_failed(status_fd, &position, &failure);
		supervisor_end(&supervisor, 1);
	}
	return supervisor_run(&supervisor);
}
