/* One handler is one fix: the calls it must see, the paths it answers, and how. */
#ifndef INTERCEPTOR_HANDLER_H
#define INTERCEPTOR_HANDLER_H

#include "interceptor/answers.h"
#include "interceptor/calls.h"

#include <stdbool.h>
#include <sys/types.h>

/** A call that a handler has matched. */
struct request {
	pid_t tracee;
	const struct call *call;
	const char *path;         /**< resolved, as the tracee means it */
	int flags;                /**< of an open; the handler may change them */
	char target[TARGET_SIZE]; /**< out: the path to use instead */
	bool has_file;            /**< out: target was made for this call and goes with it */
};

struct handler {
	const char *name;
	unsigned int calls; /**< enum call_kind, or-ed */
	const char *last;   /**< what its paths end in; NULL: names that are in the tree */
	/**
	 * Finds out, by trying, what is missing here and puts it into the tree at `root`.
	 * Returns 1 if the handler is needed whatever the tree holds, 0 if it is needed only where
	 * the tree holds something it matches, or notes a failure.
	 */
	int (*prepare)(const char *root, struct failure *failure);
	/** Whether the path is one of this handler's. Pure. */
	bool (*match)(const struct answers *answers, const char *path);
	/** Returns 1 with request->target, 0 to let the call run as it was asked, or -errno. */
	int (*answer)(const struct answers *answers, struct request *request);
};

/** All of them, in the order they are asked; ends with NULL. */
extern const struct handler *const handlers[];

extern const struct handler sysctl_handler;
extern const struct handler kmsg_handler;
extern const struct handler mountinfo_handler;
extern const struct handler given_handler;

#endif
