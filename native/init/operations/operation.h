/*
 * What the first process of the namespaces can do before it starts processes: one directive of the
 * launch file, one entry here, its code in a file of its own (or of its family).
 */
#ifndef INIT_OPERATIONS_OPERATION_H
#define INIT_OPERATIONS_OPERATION_H

#include "init/supervisor.h"
#include "lib/failure.h"

struct operation_type {
	const char *name;
	int argument_count;
	/** Returns 0, or -errno with the failure filled in. */
	int (*apply)(struct supervisor *supervisor, char **arguments, struct failure *failure);
};

/** The directive's entry, NULL if there is none of the name. */
const struct operation_type *operation_find(const char *name);

typedef int operation_function(struct supervisor *supervisor, char **arguments,
                               struct failure *failure);

/* files.c */
operation_function operation_directory, operation_write, operation_set, operation_copy,
    operation_symlink;
/* mount.c */
operation_function operation_mount, operation_bind, operation_propagation,
    operation_propagation_here, operation_unmount;
/* pivot.c */
operation_function operation_pivot;
/* network.c */
operation_function operation_link_up, operation_bridge, operation_port, operation_distant_port,
    operation_default_route;
/* cgroup.c */
operation_function operation_remove_group;
/* hostname.c */
operation_function operation_hostname;

/* open_files.c */
operation_function operation_open_files;
/* one_id.c */
operation_function operation_one_id;
/* processes.c */
operation_function operation_environment, operation_process, operation_argument,
    operation_process_environment, operation_uplink, operation_start, operation_await,
    operation_ready;

#endif
