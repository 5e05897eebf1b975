/* init's half in the new namespaces: applies the launch file, then supervises. */
#ifndef INIT_CHILD_H
#define INIT_CHILD_H

#include "init/launch.h"

/**
 * Runs until everything has ended; the result is the exit status. `permission` is the read end of
 * a pipe whose other end only the parent holds: a byte on it says that the ids are mapped, its end
 * that the parent is gone.
 */
int child_run(const struct launch *launch, int status_fd, int channel_fd, int permission);

#endif
