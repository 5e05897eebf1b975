/* A directory of our own on the runner's disk, for attempts that need one. */
#ifndef PROBE_SCRATCH_H
#define PROBE_SCRATCH_H

#include "lib/failure.h"

#include <stddef.h>

/** Makes it below `parent`, its path in `out` (of `size` bytes); 0, or -errno with the failure. */
int scratch_make(const char *parent, char *out, size_t size, struct failure *failure);

#endif
