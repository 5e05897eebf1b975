#include "interceptor/event.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

/* With PTRACE_O_TRACESYSGOOD a system call stop is told from a SIGTRAP by this bit. */
#define SYSCALL_STOP (SIGTRAP | 0x80)

static enum event_kind ptrace_event(int number, int signal)
{
	switch (number) {
	case PTRACE_EVENT_SECCOMP:
		return EVENT_SECCOMP;
	case PTRACE_EVENT_EXEC:
		return EVENT_EXEC;
	case PTRACE_EVENT_STOP:
		/* A job control stop carries its signal; SIGTRAP is a new tracee or SIGCONT. */
		return signal == SIGTRAP ? EVENT_NOTICE : EVENT_GROUP_STOP;
	default:
		return EVENT_NOTICE;
	}
}

struct event event_decode(int status)
{
	int number = status >> 16;

	if (!WIFSTOPPED(status))
		return (struct event){.kind = EVENT_ENDED};
	if (number != 0)
		return (struct event){.kind = ptrace_event(number, WSTOPSIG(status))};
	if (WSTOPSIG(status) == SYSCALL_STOP)
		return (struct event){.kind = EVENT_SYSCALL};
	return (struct event){.kind = EVENT_SIGNAL, .signal = WSTOPSIG(status)};
}
