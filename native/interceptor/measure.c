#include "interceptor/measure.h"

#include "interceptor/event.h"
#include "interceptor/filter.h"
#include "interceptor/launch.h"
#include "interceptor/tracer.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_NO_FILTER = 3 };

/*
 * System call stops that follow the seccomp stop of getppid when everything is asked for: those of
 * its exit and of exit_group's entry, and of its entry if that comes after the seccomp stop.
 */
enum { STOPS_WHEN_SECCOMP_IS_LAST = 2, STOPS_WHEN_SECCOMP_IS_FIRST = 3 };

__attribute__((noreturn)) static void sacrifice(void *context)
{
	static const struct sock_filter filter[] = {
	    {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr)},
	    {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_getppid},
	    {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_TRACE},
	    {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
	};

	(void)context;
	if (launch_install(filter, sizeof filter / sizeof filter[0]) != 0)
		_exit(EXIT_NO_FILTER);
	syscall(SYS_getppid);
	/* Not _exit: a library may do more than that in it. */
	syscall(SYS_exit_group, 0);
	__builtin_unreachable();
}

int measure_mode(enum mode *mode, struct failure *failure)
{
	pid_t child = launch(sacrifice, NULL, TRACER_OPTIONS, failure);
	int seen = 0;
	bool stopped = false;

	if (child < 0)
		return -failure->error;
	for (;;) {
		int status;
		struct event event;

		if (waitpid(child, &status, __WALL) < 0)
			return fail(failure, errno, "wait for process %d", child);
		event = event_decode(status);
		if (event.kind == EVENT_ENDED) {
			if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO_FILTER) {
				*mode = MODE_SYSCALL;
				return 0;
			}
			break;
		}
		stopped = stopped || event.kind == EVENT_SECCOMP;
		seen += event.kind == EVENT_SYSCALL;
		ptrace(stopped ? PTRACE_SYSCALL : PTRACE_CONT, child, 0, event.signal);
	}
	*mode = seen == STOPS_WHEN_SECCOMP_IS_FIRST ? MODE_SECCOMP_FIRST : MODE_SECCOMP_LAST;
	if (seen != STOPS_WHEN_SECCOMP_IS_FIRST && seen != STOPS_WHEN_SECCOMP_IS_LAST)
		return fail_input(
		    failure,
		    "Failed to measure the order of stops: %d after the seccomp stop, "
		    "not 2 or 3",
		    seen);
	return 0;
}
