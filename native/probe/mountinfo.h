/* /proc/PID/mountinfo (proc_pid_mountinfo(5)), as far as the probes read it. */
#ifndef PROBE_MOUNTINFO_H
#define PROBE_MOUNTINFO_H

#include <stddef.h>

/**
 * Writes the mount point of the last entry (the one on top) of the file system type, with the
 * option among its file system's own unless that is NULL. The text is changed.
 * Returns 0, -ENOENT, or -ENAMETOOLONG.
 */
int mountinfo_find(char *text, const char *type, const char *option, char *out, size_t size);

#endif
