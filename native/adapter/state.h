/*
 * What belongs to containers, in a directory of its own for each: the sysctls that a pod's
 * containers are to see, in the sandbox's, and what a container wrote to its view of /proc/sys.
 */
#ifndef ADAPTER_STATE_H
#define ADAPTER_STATE_H

#include "adapter/workaround.h"
#include "lib/failure.h"

#include <limits.h>
#include <stdbool.h>

/** Directories of one view of /proc/sys; empty where there is none. */
struct view {
	char shown[PATH_MAX]; /**< what the pod asked for */
	char upper[PATH_MAX], work[PATH_MAX];
};

/** Whether the pod of the sandbox has sysctls to be shown. */
bool state_shows_sysctls(const char *directory, const char *sandbox);

/** Writes what the pod's containers are to see. Returns 0, or -errno with the failure noted. */
int state_show_sysctls(const char *directory, const char *sandbox, const struct shown_sysctl *shown,
                       size_t count, struct failure *failure);

/** Makes what the view needs for writing. The same. */
int state_make_writable(const char *directory, const char *container, struct view *view,
                        struct failure *failure);

/** Removes what belongs to the container; nothing is no error. */
int state_remove(const char *directory, const char *container, struct failure *failure);

/** Writes the path of what the pod of the sandbox shows. The same. */
int state_shown_path(const char *directory, const char *sandbox, char out[static PATH_MAX],
                     struct failure *failure);

#endif
