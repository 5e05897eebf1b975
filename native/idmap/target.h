/* The process whose user namespace is to be mapped, and whether its caller may ask for that. */
#ifndef IDMAP_TARGET_H
#define IDMAP_TARGET_H

#include "lib/failure.h"

#include <sys/types.h>

struct target {
	pid_t pid;
	int directory; /**< of /proc; what is opened below it is this process's, never a later one's */
	uid_t uid;
	gid_t gid;
	pid_t parent;
};

/** Who asks. */
struct caller {
	uid_t uid;
	pid_t pid;
};

/** Opens the process; 0, or -errno with the failure noted. */
int target_open(pid_t pid, struct target *out, struct failure *failure);

/** Reads the parent out of /proc/PID/status; 0 where it does not say. Pure. */
pid_t target_parse_parent(const char *status);

/**
 * Whether the caller may have this process mapped: its own child, run as itself, or any if it is
 * root, who can map it without us. 0, or -errno with the failure noted. Pure.
 */
int target_check(const struct target *target, const struct caller *caller, struct failure *failure);

/** Writes the map files of its user namespace; 0, or -errno with the failure noted. */
int target_map(const struct target *target, struct failure *failure);

#endif
