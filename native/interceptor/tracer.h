/* The loop that follows a program and all its descendants. */
#ifndef INTERCEPTOR_TRACER_H
#define INTERCEPTOR_TRACER_H

#include "interceptor/selection.h"
#include "interceptor/step.h"
#include "interceptor/tracees.h"

#include <sys/ptrace.h>

/** How every tracee is seized: with its tracer it dies, and its descendants are seized too. */
#define TRACER_OPTIONS                                                                             \
	(PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK |  \
	 PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC)

/** What was done, for --stats. */
struct counts {
	unsigned long stops;                  /**< wait statuses */
	unsigned long calls;                  /**< calls that were looked at */
	unsigned long answered[HANDLERS_MAX]; /**< by index in the selection */
	unsigned long repeated;               /**< answers that their tracee could not see */
	unsigned long failed;                 /**< answers that could not be given */
};

struct tracer {
	enum mode mode;
	const struct selection *selection;
	struct tracees tracees;
	bool gave_directory; /**< some tracee has, or had, a directory of the tree open */
	struct counts counts;
};

/**
 * Follows the seized `program` until it ends. Returns its wait status; its remaining descendants
 * die when this process ends.
 */
int tracer_run(struct tracer *tracer, pid_t program);

#endif
