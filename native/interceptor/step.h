/*
 * What to do at a stop, by the tracee's phase: the whole protocol between seccomp stops, system
 * call stops and the rest. Pure.
 */
#ifndef INTERCEPTOR_STEP_H
#define INTERCEPTOR_STEP_H

#include "interceptor/event.h"

/** How calls are seen. */
enum mode {
	/** Only the filter's calls stop; the seccomp stop comes before syscall-entry (Linux before
	 * 4.8, and gVisor whatever it reports). */
	MODE_SECCOMP_FIRST,
	/** The same, but the seccomp stop comes after syscall-entry (Linux since 4.8). */
	MODE_SECCOMP_LAST,
	/** No seccomp: every call of every tracee stops twice. */
	MODE_SYSCALL,
};

/** Where a tracee is. */
enum phase {
	PHASE_OUTSIDE,  /**< in its own code, or in a call that is not ours */
	PHASE_ENTERING, /**< an answered call: its syscall-entry stop is still to come */
	PHASE_INSIDE,   /**< MODE_SYSCALL: in a call. Else: in an answered one */
	PHASE_SKIPPING, /**< about to repeat a call that must run as it was asked */
};

/** What to do with the tracee before it is resumed. */
enum work {
	WORK_NONE,
	WORK_CALL, /**< look at the call; if it is answered, tell step_answered */
	WORK_END,  /**< an answered call (if one is noted) has its result: tidy up */
};

enum resume {
	RESUME_NOT,
	RESUME_CONTINUE,   /**< PTRACE_CONT, with the event's signal */
	RESUME_TO_SYSCALL, /**< PTRACE_SYSCALL, with the event's signal */
	RESUME_LISTEN,     /**< PTRACE_LISTEN */
};

struct step {
	enum phase phase;
	enum work work;
	enum resume resume;
};

/** The step for an event; for WORK_CALL it assumes that the call is not answered. */
struct step step_next(enum mode mode, enum phase phase, enum event_kind event);

/** The step instead, once the call of a WORK_CALL has been answered. */
struct step step_answered(enum mode mode);

/** The step instead, once a WORK_CALL turned out to be the exit of a call never entered. */
struct step step_left(enum mode mode);

/** The step instead, once WORK_END found that the call must be repeated as it was asked. */
struct step step_repeated(enum mode mode);

#endif
