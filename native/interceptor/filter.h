/* The seccomp filter, derived from what the handlers declare. Pure: tested as data. */
#ifndef INTERCEPTOR_FILTER_H
#define INTERCEPTOR_FILTER_H

#include <linux/filter.h>
#include <stddef.h>

enum { FILTER_CAPACITY = 160 };

/**
 * Writes into `program` (of FILTER_CAPACITY instructions) a filter that stops calls of the given
 * kinds (enum call_kind, or-ed) for the tracer, refuses calls of a foreign ABI (i386, x32) with
 * ENOSYS, as a kernel built without it does, and lets everything else run at full speed.
 * `scope` limits the stops to calls issued by code at an address below 4 GiB.
 * Returns the number of instructions.
 */
enum filter_scope { SCOPE_ALL, SCOPE_FIXED };
size_t filter_build(unsigned int kinds, enum filter_scope scope, struct sock_filter *program);

#endif
