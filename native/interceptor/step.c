#include "interceptor/step.h"

static enum resume usual_resume(enum mode mode)
{
	return mode == MODE_SYSCALL ? RESUME_TO_SYSCALL : RESUME_CONTINUE;
}

/* A tracee that owes us a system call stop must be resumed so that it reports it. */
static enum resume resume_in(enum mode mode, enum phase phase)
{
	if (phase == PHASE_ENTERING || phase == PHASE_INSIDE)
		return RESUME_TO_SYSCALL;
	return usual_resume(mode);
}

static struct step at_syscall_stop(enum mode mode, enum phase phase)
{
	switch (phase) {
	case PHASE_ENTERING:
		return (struct step){PHASE_INSIDE, WORK_NONE, RESUME_TO_SYSCALL};
	case PHASE_INSIDE:
		return (struct step){PHASE_OUTSIDE, WORK_END, usual_resume(mode)};
	case PHASE_SKIPPING:
		if (mode == MODE_SYSCALL)
			return (struct step){PHASE_INSIDE, WORK_NONE, RESUME_TO_SYSCALL};
		break;
	case PHASE_OUTSIDE:
		if (mode == MODE_SYSCALL)
			return (struct step){PHASE_INSIDE, WORK_CALL, RESUME_TO_SYSCALL};
		break;
	}
	return (struct step){phase, WORK_NONE, usual_resume(mode)};
}

static struct step at_seccomp_stop(enum mode mode, enum phase phase)
{
	switch (phase) {
	case PHASE_OUTSIDE:
		return (struct step){PHASE_OUTSIDE, WORK_CALL, usual_resume(mode)};
	case PHASE_SKIPPING:
		return (struct step){PHASE_OUTSIDE, WORK_NONE, usual_resume(mode)};
	default:
		return (struct step){phase, WORK_NONE, resume_in(mode, phase)};
	}
}

struct step step_next(enum mode mode, enum phase phase, enum event_kind event)
{
	switch (event) {
	case EVENT_ENDED:
		return (struct step){PHASE_OUTSIDE, WORK_NONE, RESUME_NOT};
	case EVENT_SECCOMP:
		return at_seccomp_stop(mode, phase);
	case EVENT_SYSCALL:
		return at_syscall_stop(mode, phase);
	case EVENT_EXEC:
		/* execve itself is still to be left, which only MODE_SYSCALL is told. */
		return (struct step){mode == MODE_SYSCALL ? PHASE_INSIDE : PHASE_OUTSIDE, WORK_NONE,
		                     usual_resume(mode)};
	case EVENT_GROUP_STOP:
		return (struct step){phase, WORK_NONE, RESUME_LISTEN};
	case EVENT_NOTICE:
	case EVENT_SIGNAL:
		break;
	}
	return (struct step){phase, WORK_NONE, resume_in(mode, phase)};
}

struct step step_answered(enum mode mode)
{
	enum phase phase = mode == MODE_SECCOMP_FIRST ? PHASE_ENTERING : PHASE_INSIDE;

	return (struct step){phase, WORK_NONE, RESUME_TO_SYSCALL};
}

struct step step_left(enum mode mode)
{
	return (struct step){PHASE_OUTSIDE, WORK_NONE, usual_resume(mode)};
}

struct step step_repeated(enum mode mode)
{
	return (struct step){PHASE_SKIPPING, WORK_NONE, usual_resume(mode)};
}
