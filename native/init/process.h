/* One process that the launch file names, and its life. */
#ifndef INIT_PROCESS_H
#define INIT_PROCESS_H

#include "lib/failure.h"
#include "lib/strings.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum policy {
	POLICY_ESSENTIAL, /**< its end ends everything */
	POLICY_RESTART,   /**< started again when it ends, later and later */
	POLICY_HELPER,    /**< may end */
};

/** Where a process finds the pipe on which it tells, with one byte, that it is ready. */
#define READY_FD 4

struct process {
	const char *name;
	const char *log;
	enum policy policy;
	bool has_uplink;
	struct strings arguments;
	struct strings environment; /**< added to what every process gets */

	pid_t pid;          /**< 0 while it does not run */
	bool ready;         /**< has written to READY_FD since it was started */
	int ready_fd;       /**< our end of that pipe; -1 when there is nothing more to read */
	int64_t started_at; /**< milliseconds of CLOCK_MONOTONIC */
	int64_t restart_at; /**< the same; 0 when no start is due */
	int delay;          /**< milliseconds the last restart waited */
};

/** Reads a policy's name; -EINVAL for another. */
int process_parse_policy(const char *name, enum policy *out);

/**
 * Starts the process with an environment of its own on top of the common one, in a session of its
 * own. `uplink` becomes its UPLINK_FD, unless it is -1. With `bound_to_us` it is killed when we
 * die: needed where no pid namespace does that.
 * Returns 0, or -errno with the failure filled in, also when the program cannot be executed.
 */
int process_start(struct process *process, const struct strings *environment, int uplink,
                  bool bound_to_us, struct failure *failure);

/** Notes a byte on READY_FD, and its end. Never waits. */
void process_read_ready(struct process *process);

/**
 * How long, in milliseconds, to wait before a process is started again that ran for `ran_for`,
 * having waited `previous` before that.
 */
int process_restart_delay(int previous, int64_t ran_for);

#endif
