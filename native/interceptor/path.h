/* Which file a path names, decided from its text alone. Pure. */
#ifndef INTERCEPTOR_PATH_H
#define INTERCEPTOR_PATH_H

#include <stdbool.h>
#include <stddef.h>

struct resolved {
	char *text;        /**< absolute, without ".", ".." and empty components */
	size_t size;       /**< bytes available at text */
	bool is_directory; /**< the path ended in a slash or a dot: only a directory will do */
};

/**
 * Resolves `path` against the directory `base`, which must be absolute and free of symbolic links
 * (as /proc/PID/cwd gives it); an absolute path ignores it.
 * A ".." is followed only out of a directory known to be no symbolic link: one of `base`, or
 * /proc and what lies under /proc/sys. Where a link could lead elsewhere nothing is claimed.
 * Returns 0, -EINVAL (cannot be said, or `base` is not absolute) or -ENAMETOOLONG.
 */
int path_resolve(const char *base, const char *path, struct resolved *resolved);

/** The last component of a path as written; its length in *length. May be empty, "." or "..". */
const char *path_last(const char *path, size_t *length);

/** The part of path below directory ("" if it is the directory itself), or NULL. */
const char *path_below(const char *path, const char *directory);

#endif
