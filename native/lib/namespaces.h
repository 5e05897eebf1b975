/* Processes in new namespaces, and the ids of new user namespaces (user_namespaces(7)). */
#ifndef LIB_NAMESPACES_H
#define LIB_NAMESPACES_H

#include "lib/failure.h"

#include <stddef.h>
#include <sys/types.h>

/** Most lines one map may have here. */
#define ID_MAPS 32

/** One line of a uid_map or gid_map. */
struct id_map {
	unsigned long inside, outside, count;
};

struct id_maps {
	size_t count;
	struct id_map maps[ID_MAPS];
};

/** As fork(2), with new namespaces for the child: CLONE_NEW* flags. Returns -1 with errno set. */
pid_t namespaces_clone(int flags);

/** Writes the map "uid_map" or "gid_map" of the process; 0, or -errno with the failure noted. */
int namespaces_map(pid_t pid, const char *name, const struct id_maps *maps,
                   struct failure *failure);

/** The same, given the process's directory in /proc. */
int namespaces_map_at(int directory, const char *name, const struct id_maps *maps,
                      struct failure *failure);

/**
 * Takes setgroups(2) from the process's user namespace, without which a process that lacks
 * CAP_SETGID may not map groups. Returns 0, or -errno with the failure noted.
 */
int namespaces_deny_setgroups(pid_t pid, struct failure *failure);

#endif
