/*
 * The first process of the namespaces: keeps the processes of the launch file running, reaps
 * whatever else is given to it, and ends everything in order.
 */
#ifndef INIT_SUPERVISOR_H
#define INIT_SUPERVISOR_H

#include "init/process.h"
#include "lib/failure.h"
#include "lib/strings.h"

#include <stdbool.h>
#include <stdint.h>

#define SUPERVISOR_PROCESSES 16

enum stage {
	STAGE_RUNNING,
	STAGE_ENDING_ESSENTIAL, /**< they have data to save, and need the others for it */
	STAGE_ENDING_OTHERS,
	STAGE_ENDED,
};

struct supervisor {
	int status_fd;  /**< -1: nobody listens */
	int signal_fd;  /**< signalfd(2) for init_signals() */
	int channel_fd; /**< to our parent, who serves uplinks */
	bool has_pid_namespace;
	struct strings environment; /**< of every process started from now on */
	struct process processes[SUPERVISOR_PROCESSES];
	size_t process_count;

	enum stage stage;
	int exit_status; /**< ours, once the stage is not RUNNING */
	int64_t end_by;  /**< milliseconds of CLOCK_MONOTONIC; then everything is killed */
};

/** Declares a process; NULL with the failure filled in when that cannot be. */
struct process *supervisor_declare(struct supervisor *supervisor, const char *name,
                                   enum policy policy, const char *log, struct failure *failure);

/** The process of the name; NULL with the failure filled in when none was declared. */
struct process *supervisor_find(struct supervisor *supervisor, const char *name,
                                struct failure *failure);

/** Starts the process; 0, or -errno with the failure filled in. */
int supervisor_start(struct supervisor *supervisor, struct process *process,
                     struct failure *failure);

/** Runs until the process is ready: 0, or -errno with the failure filled in. */
int supervisor_await(struct supervisor *supervisor, struct process *process,
                     struct failure *failure);

/** Begins the end of everything, unless it has begun; our exit status will be the given one. */
void supervisor_end(struct supervisor *supervisor, int exit_status);

/** Runs until everything has ended, and returns the exit status. */
int supervisor_run(struct supervisor *supervisor);

#endif
