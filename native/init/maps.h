/* The ids of a new user namespace (user_namespaces(7)). */
#ifndef INIT_MAPS_H
#define INIT_MAPS_H

#include "init/launch.h"

#include <sys/types.h>

/** Writes the maps of the process's user namespace; 0, or -errno with the failure filled in. */
int maps_write(const struct launch *launch, pid_t pid, struct position *position,
               struct failure *failure);

#endif
