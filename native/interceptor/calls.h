/* The system calls that take a path, described as data: where each keeps what a handler needs. */
#ifndef INTERCEPTOR_CALLS_H
#define INTERCEPTOR_CALLS_H

#include <stddef.h>

/** What a call does with its path. Handlers declare the kinds they need to see. */
enum call_kind {
	CALL_OPEN = 1 << 0,
	CALL_STAT = 1 << 1,
	CALL_ACCESS = 1 << 2,
	CALL_READLINK = 1 << 3,
	CALL_STATFS = 1 << 4,
	CALL_TRUNCATE = 1 << 5,
	CALL_CHDIR = 1 << 6,
};

/** How a call says for what it opens. */
enum open_flags {
	OPEN_FLAGS_NONE,     /**< it does not: not an open */
	OPEN_FLAGS_ARGUMENT, /**< in argument `flags` */
	OPEN_FLAGS_CREAT,    /**< creat(2): O_WRONLY|O_CREAT|O_TRUNC */
	OPEN_FLAGS_HOW,      /**< in the struct open_how that argument `flags` points to */
};

enum { NO_ARGUMENT = -1 };

struct call {
	const char *name;
	long number;
	enum call_kind kind;
	int path;      /**< index of the argument that points to the path */
	int directory; /**< index of the directory descriptor; NO_ARGUMENT: the current directory */
	int flags;     /**< index of the open or AT_* flags; NO_ARGUMENT: it has none */
	enum open_flags open;
};

/** Every path-taking call that a handler can declare, by this build's architecture. */
extern const struct call calls[];
extern const size_t call_count;

/** The call with that number, or NULL. */
const struct call *call_find(long number);

#endif
