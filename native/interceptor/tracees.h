/* The tracees that are in the middle of something, by thread id. */
#ifndef INTERCEPTOR_TRACEES_H
#define INTERCEPTOR_TRACEES_H

#include "interceptor/rewrite.h"
#include "interceptor/step.h"

#include <stddef.h>
#include <sys/types.h>

struct tracee {
	pid_t id; /**< 0: the slot is free */
	enum phase phase;
	struct rewrite rewrite;
};

/** A hash table with linear probing; grows, never shrinks. Zero-initialised it is empty. */
struct tracees {
	struct tracee *slots;
	size_t capacity; /**< a power of two, or 0 */
	size_t count;
};

/** The tracee's entry, or NULL. Valid until the next tracees_add or tracees_drop. */
struct tracee *tracees_find(const struct tracees *tracees, pid_t id);

/** The tracee's entry, made if there is none; NULL if there is no memory. */
struct tracee *tracees_add(struct tracees *tracees, pid_t id);

/** Forgets the tracee, if it is known. */
void tracees_drop(struct tracees *tracees, pid_t id);

void tracees_free(struct tracees *tracees);

#endif
