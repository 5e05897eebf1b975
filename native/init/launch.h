/* The launch file: what init is to set up and to run. README.md has its grammar. */
#ifndef INIT_LAUNCH_H
#define INIT_LAUNCH_H

#include "lib/failure.h"
#include "lib/namespaces.h"
#include "lib/strings.h"

#include <stdbool.h>
#include <stddef.h>

#define LAUNCH_ARGUMENTS 5

struct operation_type;

/** One directive after the header, with its arguments. */
struct operation {
	const struct operation_type *type;
	unsigned int line;
	char *arguments[LAUNCH_ARGUMENTS];
};

struct launch {
	int namespaces; /**< CLONE_NEW* flags */
	struct id_maps uids, gids;
	bool deny_setgroups;
	struct strings mapper; /**< a program that maps the ids; empty: the maps above */
	size_t operation_count;
	struct operation *operations;
};

/** Where in the launch file a failure belongs. */
struct position {
	unsigned int line;
	const char *directive;
};

/**
 * Reads the launch file's text, which is changed and pointed into by the result.
 * Returns 0, or -EINVAL (-ENOMEM) with the failure, at the position, filled in.
 */
int launch_parse(char *text, struct launch *out, struct position *position,
                 struct failure *failure);

/** Frees what launch_parse allocated, after success and after failure. */
void launch_free(struct launch *launch);

#endif
