/*
 * init's half in the runner's namespaces: makes the namespaces, maps the ids, serves uplinks, and
 * hands signals in and the exit status out.
 */
#ifndef INIT_PARENT_H
#define INIT_PARENT_H

#include "init/launch.h"

/** Runs until the child has ended; the result is the exit status. */
int parent_run(const struct launch *launch, int status_fd);

#endif
