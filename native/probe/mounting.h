/* Mounts and directories of an attempt, below its scratch directory. */
#ifndef PROBE_MOUNTING_H
#define PROBE_MOUNTING_H

#include "probe/probe.h"

/** Mounts the type on the path and notes a failure; 0 or -errno. `data` may be NULL. */
int mounting_mount(struct attempt *attempt, const char *type, const char *path, const char *data);

/** Makes the directory and notes a failure; 0 or -errno. */
int mounting_directory(struct attempt *attempt, const char *path);

/** Mounts a tmpfs over the scratch directory, so that what follows is in memory. */
int mounting_tmpfs(struct attempt *attempt);

/** Writes "SCRATCH/NAME" to out, which has PATH_MAX bytes; the name is one of our own, short. */
void mounting_path(const struct attempt *attempt, const char *name, char *out);

/**
 * Mounts an overlay of `lower` on `target` with its upper layer in the scratch directory, and
 * makes a directory through it.
 */
int mounting_overlay(struct attempt *attempt, const char *lower, const char *target);

#endif
