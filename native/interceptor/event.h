/* What a wait status says about a tracee. Pure. */
#ifndef INTERCEPTOR_EVENT_H
#define INTERCEPTOR_EVENT_H

enum event_kind {
	EVENT_ENDED,      /**< it is gone; nothing to resume */
	EVENT_SECCOMP,    /**< the filter stopped a call */
	EVENT_SYSCALL,    /**< it enters or leaves a call, after a PTRACE_SYSCALL */
	EVENT_EXEC,       /**< execve succeeded; other threads are gone */
	EVENT_NOTICE,     /**< a new tracee's first stop, or its parent's news of it: resume */
	EVENT_GROUP_STOP, /**< stopped by job control: must stay stopped, so PTRACE_LISTEN */
	EVENT_SIGNAL,     /**< a signal is about to be delivered: resume with it */
};

struct event {
	enum event_kind kind;
	int signal; /**< of EVENT_SIGNAL */
};

/** Decodes a status of waitpid(..., __WALL) for a tracee seized with PTRACE_O_TRACESYSGOOD. */
struct event event_decode(int status);

#endif
