/* The command line. */
#ifndef INTERCEPTOR_OPTIONS_H
#define INTERCEPTOR_OPTIONS_H

#include "interceptor/filter.h"
#include "lib/failure.h"

enum wanted_mode { WANT_AUTO, WANT_SECCOMP, WANT_SYSCALL };

struct options {
	const char *root;  /**< NULL: a directory of its own, removed at the end */
	const char *stats; /**< NULL: none */
	enum wanted_mode mode;
	enum filter_scope scope;
	char **program; /**< argv of the program, NULL terminated */
};

extern const char options_usage[];

/** Reads argv; -EINVAL with a message for what is not understood. */
int options_parse(char **argv, struct options *options, struct failure *failure);

#endif
