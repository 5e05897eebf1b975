/*
 * The hook that runc runs in the container's mount namespace, when its mounts are made and before
 * its root is entered. runc itself refuses mounts below /proc (checkProcMount in libcontainer).
 */
#ifndef ADAPTER_HOOK_H
#define ADAPTER_HOOK_H

#include "adapter/state.h"
#include "lib/failure.h"

/** The word after the program's name that makes it the hook. */
#define HOOK_WORD "mount-sysctls"

/**
 * The hook as an element of config.json's list, to be freed; NULL without memory. `program` is this
 * one's path, `sysctls` the directory with the files that /proc/sys lacks.
 */
char *hook_print(const char *program, const char *sysctls, const struct view *view);

/**
 * Mounts the container's view of /proc/sys; the arguments are those of hook_print, the working
 * directory is the container's root. Returns 0, or -errno with the failure noted.
 */
int hook_run(char *const *arguments, int count, struct failure *failure);

#endif
