/* Another program that maps ids, where we may not: native/idmap, or sudo with it. */
#ifndef LIB_MAPPER_H
#define LIB_MAPPER_H

#include "lib/failure.h"
#include "lib/strings.h"

#include <sys/types.h>

/**
 * Runs the program, with the process's id added to its arguments, to map the ids of that process's
 * user namespace. Returns 0, or -errno with the failure noted: what it said, if it failed.
 */
int mapper_run(const struct strings *arguments, pid_t pid, struct failure *failure);

#endif
