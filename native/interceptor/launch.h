/* Starting a traced program. */
#ifndef INTERCEPTOR_LAUNCH_H
#define INTERCEPTOR_LAUNCH_H

#include "interceptor/filter.h"
#include "lib/failure.h"

#include <stddef.h>
#include <sys/types.h>

enum { EXIT_CANNOT_EXECUTE = 126, EXIT_NOT_FOUND = 127 };

/** Installs the filter, with no_new_privs where that is the condition. 0 or -errno. */
int launch_install(const struct sock_filter *program, size_t length);

/**
 * Starts `run(context)` in a child that is seized with `options` before it begins; it must not
 * return. Returns the child's id, or notes a failure.
 */
pid_t launch(void (*run)(void *context), void *context, unsigned long options,
             struct failure *failure);

#endif
