/*
 * The tree of answers: a directory that mirrors "/" as far as something is to be answered, so
 * ROOT/proc/sys/kernel/panic stands for /proc/sys/kernel/panic. What tracees write stays there.
 */
#ifndef INTERCEPTOR_ANSWERS_H
#define INTERCEPTOR_ANSWERS_H

#include "lib/failure.h"
#include "lib/strings.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	/**
	 * Bytes of the longest path a tracee can be sent to, its NUL included. It is written below
	 * the tracee's stack, and a goroutine's stack is a small piece of the heap with only 800
	 * bytes left for the functions that end in a system call (stackNosplit in Go's
	 * internal/abi/stack.go), so it must be short.
	 */
	TARGET_SIZE = 192,
	/** What that leaves for ROOT. */
	ROOT_SIZE = 96,
};

struct answers {
	char root[ROOT_SIZE]; /**< absolute, without a slash at its end */
	struct strings paths; /**< what is answered, sorted: absolute, as tracees name them */
};

/**
 * Reads the tree at answers->root: every file in it, and every directory in it that is no
 * directory outside of it. Names at its top that begin with a dot are left out.
 */
int answers_load(struct answers *answers, struct failure *failure);
void answers_free(struct answers *answers);

/** Whether the absolute path is answered. Pure. */
bool answers_have(const struct answers *answers, const char *path);

/** Whether anything that is answered ends in that name: a cheap first test. Pure. */
bool answers_have_name(const struct answers *answers, const char *name, size_t length);

/** Writes ROOT and the path into target (of TARGET_SIZE); -ENAMETOOLONG. */
int answers_target(const struct answers *answers, const char *path, char *target);

/**
 * Puts a file into the tree, with the directories above it, unless it is there already.
 * `content` is the text, or what a symbolic link points to.
 */
int answers_add_file(const char *root, const char *path, const char *content,
                     struct failure *failure);
int answers_add_link(const char *root, const char *path, const char *content,
                     struct failure *failure);

#endif
