/* A tracee's call, made to use another path, and put back as if it had not been. */
#ifndef INTERCEPTOR_REWRITE_H
#define INTERCEPTOR_REWRITE_H

#include "interceptor/answers.h"
#include "interceptor/calls.h"
#include "interceptor/registers.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** An answered call that has not returned yet. */
struct rewrite {
	const struct call *call; /**< NULL: none */
	uint64_t arguments[4];   /**< as the tracee passed them */
	bool in_tree;            /**< it was sent to the tree of answers */
	char file[TARGET_SIZE];  /**< made for this call and removed at its end; "": none */
};

/** The path the call was given; its length or -errno (see memory_string). */
ssize_t rewrite_read_path(pid_t tracee, const struct call *call, const struct registers *registers,
                          char *path, size_t size);

/**
 * For what the call opens. *flags stays 0 where the call is no open. Returns 0, -errno, or -EINVAL
 * for a struct open_how of a size this build does not know.
 */
int rewrite_read_flags(pid_t tracee, const struct call *call, const struct registers *registers,
                       int *flags);

/**
 * Sends the call to `target` with these open flags. What it needs is written below the tracee's
 * stack, out of the way of the red zone. Returns 0 or -errno, the tracee being unchanged then.
 */
int rewrite_begin(pid_t tracee, const struct call *call, struct registers *registers,
                  const char *target, int flags, struct rewrite *rewrite);

/**
 * Puts the arguments back at the call's exit and removes its file. Returns 1 if the tracee cannot
 * see the tree of answers (it has another root directory) and will now repeat the call as it was
 * asked, 0 if all is done, or -errno.
 */
int rewrite_end(pid_t tracee, struct rewrite *rewrite);

/** Removes the call's file, for a tracee that will not return from it. */
void rewrite_abandon(struct rewrite *rewrite);

#endif
