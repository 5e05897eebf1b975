/* Wait statuses to events, and events to steps: whole lives of calls, by mode. */
#include "interceptor/step.h"

#include "lib/test/tap.h"

#include <signal.h>
#include <sys/ptrace.h>

static int stopped(int signal, int event)
{
	return (event << 16) | (signal << 8) | 0x7f;
}

static void events(void)
{
	static const struct {
		const char *what;
		int signal, event;
		enum event_kind kind;
	} table[] = {
	    {"seccomp", SIGTRAP, PTRACE_EVENT_SECCOMP, EVENT_SECCOMP},
	    {"exec", SIGTRAP, PTRACE_EVENT_EXEC, EVENT_EXEC},
	    {"fork", SIGTRAP, PTRACE_EVENT_FORK, EVENT_NOTICE},
	    {"vfork", SIGTRAP, PTRACE_EVENT_VFORK, EVENT_NOTICE},
	    {"clone", SIGTRAP, PTRACE_EVENT_CLONE, EVENT_NOTICE},
	    {"a new tracee, or SIGCONT", SIGTRAP, PTRACE_EVENT_STOP, EVENT_NOTICE},
	    {"SIGSTOP as job control", SIGSTOP, PTRACE_EVENT_STOP, EVENT_GROUP_STOP},
	    {"SIGTSTP as job control", SIGTSTP, PTRACE_EVENT_STOP, EVENT_GROUP_STOP},
	    {"a system call", SIGTRAP | 0x80, 0, EVENT_SYSCALL},
	    {"a signal", SIGUSR1, 0, EVENT_SIGNAL},
	    {"SIGSTOP about to be delivered", SIGSTOP, 0, EVENT_SIGNAL},
	    {"a breakpoint's SIGTRAP", SIGTRAP, 0, EVENT_SIGNAL},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct event event = event_decode(stopped(table[i].signal, table[i].event));

		check_number(event.kind, table[i].kind, table[i].what);
		check_number(event.signal, event.kind == EVENT_SIGNAL ? table[i].signal : 0,
		             "its signal");
	}
	check_number(event_decode(7 << 8).kind, EVENT_ENDED, "an exit");
	check_number(event_decode(SIGKILL).kind, EVENT_ENDED, "a death");
}

/* What is expected at one stop of a call's life. */
struct stop {
	enum event_kind event;
	enum work work;
	enum resume resume;
	enum { NOTHING, ANSWER, REPEAT, LEAVE } then; /* what the work finds */
};

static void live(const char *what, enum mode mode, const struct stop *stops, size_t count)
{
	enum phase phase = PHASE_OUTSIDE;

	for (size_t i = 0; i < count; i++) {
		struct step step = step_next(mode, phase, stops[i].event);

		check_number(step.work, stops[i].work, what);
		if (stops[i].then == ANSWER)
			step = step_answered(mode);
		if (stops[i].then == REPEAT)
			step = step_repeated(mode);
		if (stops[i].then == LEAVE)
			step = step_left(mode);
		check(step.resume == stops[i].resume, "%s: resumed at stop %zu", what, i);
		phase = step.phase;
	}
	check_number(phase, PHASE_OUTSIDE, what);
}

#define LIVE(what, mode, ...)                                                                      \
	do {                                                                                       \
		static const struct stop stops[] = {__VA_ARGS__};                                  \
		live(what, mode, stops, sizeof stops / sizeof stops[0]);                           \
	} while (0)

static void lives(void)
{
	LIVE("Linux, not answered", MODE_SECCOMP_LAST,
	     {EVENT_SECCOMP, WORK_CALL, RESUME_CONTINUE, NOTHING},
	     {EVENT_SIGNAL, WORK_NONE, RESUME_CONTINUE, NOTHING});
	LIVE("Linux, answered", MODE_SECCOMP_LAST,
	     {EVENT_SECCOMP, WORK_CALL, RESUME_TO_SYSCALL, ANSWER},
	     {EVENT_SYSCALL, WORK_END, RESUME_CONTINUE, NOTHING});
	LIVE("gVisor, answered", MODE_SECCOMP_FIRST,
	     {EVENT_SECCOMP, WORK_CALL, RESUME_TO_SYSCALL, ANSWER},
	     {EVENT_SYSCALL, WORK_NONE, RESUME_TO_SYSCALL, NOTHING},
	     {EVENT_SYSCALL, WORK_END, RESUME_CONTINUE, NOTHING});
	LIVE("gVisor, repeated", MODE_SECCOMP_FIRST,
	     {EVENT_SECCOMP, WORK_CALL, RESUME_TO_SYSCALL, ANSWER},
	     {EVENT_SYSCALL, WORK_NONE, RESUME_TO_SYSCALL, NOTHING},
	     {EVENT_SYSCALL, WORK_END, RESUME_CONTINUE, REPEAT},
	     {EVENT_SIGNAL, WORK_NONE, RESUME_CONTINUE, NOTHING},
	     {EVENT_SECCOMP, WORK_NONE, RESUME_CONTINUE, NOTHING});
	LIVE("signals and stops in between", MODE_SECCOMP_FIRST,
	     {EVENT_SECCOMP, WORK_CALL, RESUME_TO_SYSCALL, ANSWER},
	     {EVENT_SIGNAL, WORK_NONE, RESUME_TO_SYSCALL, NOTHING},
	     {EVENT_SYSCALL, WORK_NONE, RESUME_TO_SYSCALL, NOTHING},
	     {EVENT_GROUP_STOP, WORK_NONE, RESUME_LISTEN, NOTHING},
	     {EVENT_NOTICE, WORK_NONE, RESUME_TO_SYSCALL, NOTHING},
	     {EVENT_SYSCALL, WORK_END, RESUME_CONTINUE, NOTHING});
	LIVE("exec in the middle", MODE_SECCOMP_LAST,
	     {EVENT_SECCOMP, WORK_CALL, RESUME_TO_SYSCALL, ANSWER},
	     {EVENT_EXEC, WORK_NONE, RESUME_CONTINUE, NOTHING});
	LIVE("every call", MODE_SYSCALL, {EVENT_SYSCALL, WORK_CALL, RESUME_TO_SYSCALL, NOTHING},
	     {EVENT_SYSCALL, WORK_END, RESUME_TO_SYSCALL, NOTHING},
	     {EVENT_SYSCALL, WORK_CALL, RESUME_TO_SYSCALL, ANSWER},
	     {EVENT_SYSCALL, WORK_END, RESUME_TO_SYSCALL, REPEAT},
	     {EVENT_SYSCALL, WORK_NONE, RESUME_TO_SYSCALL, NOTHING},
	     {EVENT_SYSCALL, WORK_END, RESUME_TO_SYSCALL, NOTHING});
	LIVE("every call: an exit without an entry", MODE_SYSCALL,
	     {EVENT_SYSCALL, WORK_CALL, RESUME_TO_SYSCALL, LEAVE},
	     {EVENT_SYSCALL, WORK_CALL, RESUME_TO_SYSCALL, NOTHING},
	     {EVENT_SYSCALL, WORK_END, RESUME_TO_SYSCALL, NOTHING});
	LIVE("every call: exec", MODE_SYSCALL,
	     {EVENT_SYSCALL, WORK_CALL, RESUME_TO_SYSCALL, NOTHING},
	     {EVENT_EXEC, WORK_NONE, RESUME_TO_SYSCALL, NOTHING},
	     {EVENT_SYSCALL, WORK_END, RESUME_TO_SYSCALL, NOTHING});
	LIVE("the end", MODE_SYSCALL, {EVENT_SYSCALL, WORK_CALL, RESUME_TO_SYSCALL, NOTHING},
	     {EVENT_ENDED, WORK_NONE, RESUME_NOT, NOTHING});
}

int main(void)
{
	events();
	lives();
	return tap_done();
}
