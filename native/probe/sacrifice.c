#include "probe/sacrifice.h"

#include "lib/cleanup.h"
#include "lib/mapper.h"
#include "lib/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMESPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC)

static int flags_of(enum place place)
{
	switch (place) {
	case PLACE_NAMESPACES:
		return NAMESPACES;
	case PLACE_USER_ALL:
	case PLACE_USER:
	case PLACE_USER_MAPPED:
	case PLACE_USER_SINGLE:
		return NAMESPACES | CLONE_NEWUSER;
	case PLACE_RUNNER:
	case PLACE_BEST:
		break;
	}
	return 0;
}

static int map_ids(pid_t pid, enum place place, const struct strings *mapper,
                   struct failure *failure)
{
	struct id_maps uids = {1, {{0, 0, 65536}}}, gids = uids;
	int error = 0;

	if (place == PLACE_USER_MAPPED)
		return mapper->count > 0 ? mapper_run(mapper, pid, failure)
		                         : fail(failure, ENOENT, "find a program that maps ids");
	/* Without the last, it is not the map by which runc knows that it needs none. */
	if (place == PLACE_USER_ALL)
		uids.maps[0].count = gids.maps[0].count = UINT32_MAX - 1;
	if (place == PLACE_USER_SINGLE) {
		uids.maps[0] = (struct id_map){0, geteuid(), 1};
		gids.maps[0] = (struct id_map){0, getegid(), 1};
		error = namespaces_deny_setgroups(pid, failure);
	}
	if (error == 0)
		error = namespaces_map(pid, "uid_map", &uids, failure);
	return error != 0 ? error : namespaces_map(pid, "gid_map", &gids, failure);
}

/* In the child: attempts, and reports the evidence with the verdict in front. */
static void run(probe_function *function, struct attempt *attempt, enum place place, int permission,
                int report)
{
	char byte;
	int error = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (read(permission, &byte, 1) != 1)
		_exit(1);
	/* What is mounted here must not show in the runner. */
	if (place != PLACE_RUNNER && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		error = fail(&attempt->failure, errno, "make the mounts private");
	if (error == 0)
		error = function(attempt);
	dprintf(report, "%c%s", error == 0 ? 'y' : 'n',
	        error != 0        ? attempt->failure.message
	        : *attempt->found ? attempt->found
	                          : "succeeded");
	_exit(0);
}

__attribute__((format(printf, 2, 3))) static void crashed(struct answer *answer, const char *format,
                                                          ...)
{
	va_list arguments;

	answer->result = RESULT_CRASHED;
	va_start(arguments, format);
	vsnprintf(answer->evidence, sizeof answer->evidence, format, arguments);
	va_end(arguments);
}

/* Reads what the child reports until it ends, or its time is up. */
static void collect(pid_t pid, int report, struct answer *answer)
{
	struct pollfd reported = {.fd = report, .events = POLLIN};
	char text[sizeof answer->evidence + 1] = "";
	ssize_t length = -1;
	int status;

	if (poll(&reported, 1, ATTEMPT_TIMEOUT_MS) == 1)
		length = read(report, text, sizeof text - 1);
	if (length < 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (length < 0) {
		crashed(answer, "no answer within %d ms", ATTEMPT_TIMEOUT_MS);
	} else if (length == 0) {
		if (WIFSIGNALED(status))
			crashed(answer, "killed by signal %d", WTERMSIG(status));
		else
			crashed(answer, "ended with status %d", WEXITSTATUS(status));
	} else {
		answer->result = text[0] == 'y' ? RESULT_YES : RESULT_NO;
		memcpy(answer->evidence, text + 1, sizeof answer->evidence);
	}
}

static void refused(struct answer *answer, const struct failure *failure)
{
	answer->result = RESULT_NO;
	snprintf(answer->evidence, sizeof answer->evidence, "%s", failure->message);
}

void sacrifice(probe_function *function, enum place place, const struct means *means,
               const char *sysctl, struct answer *answer)
{
	struct attempt attempt = {.scratch = means->scratch, .sysctl = sysctl};
	cleanup_fd int report = -1, permission = -1;
	int reports[2], permissions[2];
	pid_t pid;

	if (pipe2(reports, O_CLOEXEC) != 0 || pipe2(permissions, O_CLOEXEC) != 0) {
		crashed(answer, "pipe: errno %d", errno);
		return;
	}
	report = reports[0];
	permission = permissions[1];
	pid = namespaces_clone(flags_of(place));
	if (pid == 0) {
		close(permission);
		run(function, &attempt, place, permissions[0], reports[1]);
	}
	close(reports[1]);
	close(permissions[0]);
	if (pid < 0) {
		fail(&attempt.failure, errno, "create the namespaces");
		refused(answer, &attempt.failure);
		return;
	}
	if ((flags_of(place) & CLONE_NEWUSER) != 0 &&
	    map_ids(pid, place, &means->mapper, &attempt.failure) != 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		refused(answer, &attempt.failure);
		return;
	}
	if (write(permission, "", 1) != 1)
		kill(pid, SIGKILL);
	collect(pid, report, answer);
}
