/* Directories with those above them. */
#ifndef LIB_DIRECTORY_H
#define LIB_DIRECTORY_H

#include "lib/failure.h"

#include <sys/types.h>

/**
 * Makes the directory with exactly the mode, and what is missing above it with 0755. One that
 * exists keeps its mode: it is not ours to change. The path is changed meanwhile, and restored.
 * Returns 0, or -errno with the failure noted.
 */
int directory_make(char *path, mode_t mode, struct failure *failure);

/**
 * Removes the directory and what is below it, on its own file system; symbolic links are not
 * followed. Returns 0, or -errno with the failure noted.
 */
int directory_remove(const char *path, struct failure *failure);

#endif
