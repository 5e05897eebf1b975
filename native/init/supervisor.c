#include "init/supervisor.h"

#include "init/descendants.h"
#include "init/status.h"
#include "lib/cleanup.h"
#include "lib/descriptor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

/*
 * Nothing of what runs here is needed again: who does not end soon waits for somebody who has, as
 * an API server does for its datastore, and keeps the job waiting.
 */
#define END_WITHIN_MS 3000
#define EVERY(process, supervisor)                                                                 \
	for (struct process *process = (supervisor)->processes;                                    \
	     process < (supervisor)->processes + (supervisor)->process_count; process++)

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static struct process *find(struct supervisor *supervisor, const char *name)
{
	EVERY(process, supervisor)
	if (strcmp(process->name, name) == 0)
		return process;
	return NULL;
}

struct process *supervisor_declare(struct supervisor *supervisor, const char *name,
                                   enum policy policy, const char *log, struct failure *failure)
{
	struct process *process = &supervisor->processes[supervisor->process_count];

	if (find(supervisor, name) != NULL) {
		fail_input(failure, "Process %s is declared twice", name);
		return NULL;
	}
	if (supervisor->process_count == SUPERVISOR_PROCESSES) {
		fail_input(failure, "Too many processes: at most %d", SUPERVISOR_PROCESSES);
		return NULL;
	}
	supervisor->process_count++;
	*process = (struct process){.name = name, .policy = policy, .log = log, .ready_fd = -1};
	return process;
}

struct process *supervisor_find(struct supervisor *supervisor, const char *name,
                                struct failure *failure)
{
	struct process *process = find(supervisor, name);

	if (process == NULL)
		fail_input(failure,
		           "Process %s is not declared: a process directive must come first", name);
	return process;
}

/* A pair of our own for every start: a reply meant for the last one must not reach the next. */
static int open_uplink(const struct supervisor *supervisor, int *uplink)
{
	cleanup_fd int served = -1;
	int ends[2];
	char message = 0;
	int error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return -errno;
	served = ends[0];
	error = descriptor_send(supervisor->channel_fd, &message, sizeof message, served);
	if (error != 0)
		close(ends[1]);
	else
		*uplink = ends[1];
	return error;
}

int supervisor_start(struct supervisor *supervisor, struct process *process,
                     struct failure *failure)
{
	cleanup_fd int uplink = -1;
	int error;

	if (process->pid != 0)
		return fail_input(failure, "Process %s is started twice", process->name);
	if (process->has_uplink) {
		error = open_uplink(supervisor, &uplink);
		if (error != 0)
			return fail(failure, -error, "open the uplink of %s", process->name);
	}
	process->restart_at = 0;
	process->started_at = now();
	error = process_start(process, &supervisor->environment, uplink,
	                      !supervisor->has_pid_namespace, failure);
	if (error == 0)
		status_started(supervisor->status_fd, process->name, process->pid);
	return error;
}

static void schedule_restart(struct process *process)
{
	int64_t ran_for = now() - process->started_at;

	process->delay = process_restart_delay(process->delay, ran_for);
	process->restart_at = now() + process->delay;
}

static void restart_due(struct supervisor *supervisor)
{
	struct failure failure;

	EVERY(process, supervisor)
	{
		if (process->restart_at == 0 || process->restart_at > now())
			continue;
		if (supervisor_start(supervisor, process, &failure) != 0) {
			struct position position = {.line = 0, .directive = "start"};

			status_failed(supervisor->status_fd, &position, &failure);
			schedule_restart(process);
		}
	}
}

static bool any_runs(struct supervisor *supervisor, bool essential_only)
{
	EVERY(process, supervisor)
	if (process->pid != 0 && (!essential_only || process->policy == POLICY_ESSENTIAL))
		return true;
	return false;
}

static void terminate(struct supervisor *supervisor, bool essential)
{
	EVERY(process, supervisor)
	{
		process->restart_at = 0;
		if (process->pid != 0 && (process->policy == POLICY_ESSENTIAL) == essential)
			kill(process->pid, SIGTERM);
	}
}

/* Goes from stage to stage of the end as far as what still runs allows. */
static void advance(struct supervisor *supervisor)
{
	if (supervisor->stage == STAGE_RUNNING)
		return;
	if (supervisor->stage == STAGE_ENDING_ESSENTIAL && !any_runs(supervisor, true)) {
		supervisor->stage = STAGE_ENDING_OTHERS;
		terminate(supervisor, false);
	}
	if (supervisor->stage == STAGE_ENDING_OTHERS && !any_runs(supervisor, false))
		supervisor->stage = STAGE_ENDED;
	if (now() >= supervisor->end_by)
		supervisor->stage = STAGE_ENDED;
}

void supervisor_end(struct supervisor *supervisor, int exit_status)
{
	if (supervisor->stage != STAGE_RUNNING)
		return;
	supervisor->exit_status = exit_status;
	supervisor->end_by = now() + END_WITHIN_MS;
	supervisor->stage = STAGE_ENDING_ESSENTIAL;
	terminate(supervisor, true);
	advance(supervisor);
}

static int exit_status_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void ended(struct supervisor *supervisor, struct process *process, int status)
{
	/* What it wrote before it ended counts. */
	process_read_ready(process);
	process->pid = 0;
	status_exited(supervisor->status_fd, process->name, status);
	if (supervisor->stage != STAGE_RUNNING)
		return;
	if (process->policy != POLICY_HELPER)
		status_note_exit(process->name, status);
	if (process->policy == POLICY_ESSENTIAL)
		supervisor_end(supervisor, exit_status_of(status));
	else if (process->policy == POLICY_RESTART)
		schedule_restart(process);
}

static void reap(struct supervisor *supervisor)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		EVERY(process, supervisor)
	if (process->pid == pid)
		ended(supervisor, process, status);
}

static void read_signal(struct supervisor *supervisor)
{
	struct signalfd_siginfo info;

	if (read(supervisor->signal_fd, &info, sizeof info) != sizeof info)
		return;
	if (info.ssi_signo == SIGCHLD)
		reap(supervisor);
	else
		supervisor_end(supervisor, 128 + (int)info.ssi_signo);
}

/* Milliseconds until something is due; -1 for nothing. */
static int time_left(struct supervisor *supervisor)
{
	int64_t first = supervisor->stage == STAGE_RUNNING ? INT64_MAX : supervisor->end_by;

	EVERY(process, supervisor)
	if (process->restart_at != 0 && process->restart_at < first)
		first = process->restart_at;
	if (first == INT64_MAX)
		return -1;
	first -= now();
	return first < 0 ? 0 : (int)first;
}

/* Waits for the next event and handles it. */
static void step(struct supervisor *supervisor)
{
	struct pollfd fds[1 + SUPERVISOR_PROCESSES];
	size_t count = 0;

	fds[count++] = (struct pollfd){.fd = supervisor->signal_fd, .events = POLLIN};
	EVERY(process, supervisor)
	fds[count++] = (struct pollfd){.fd = process->ready_fd, .events = POLLIN};
	if (poll(fds, count, time_left(supervisor)) < 0)
		return;
	for (size_t i = 1; i < count; i++)
		if (fds[i].revents != 0)
			process_read_ready(&supervisor->processes[i - 1]);
	if (fds[0].revents != 0)
		read_signal(supervisor);
	restart_due(supervisor);
	advance(supervisor);
}

int supervisor_await(struct supervisor *supervisor, struct process *process,
                     struct failure *failure)
{
	while (!process->ready) {
		if (supervisor->stage != STAGE_RUNNING && process->pid != 0)
			return fail(failure, EINTR, "wait for %s", process->name);
		if (process->pid == 0)
			return fail(failure, ECHILD, "wait for %s, which ended before it was ready",
			            process->name);
		step(supervisor);
	}
	return 0;
}

static bool has_essential(struct supervisor *supervisor)
{
	EVERY(process, supervisor)
	if (process->policy == POLICY_ESSENTIAL)
		return true;
	return false;
}

int supervisor_run(struct supervisor *supervisor)
{
	if (!has_essential(supervisor))
		supervisor_end(supervisor, 0);
	while (supervisor->stage != STAGE_ENDED)
		step(supervisor);
	/* The end of a pid namespace's first process is the end of all its processes. */
	if (!supervisor->has_pid_namespace)
		descendants_kill();
	return supervisor->exit_status;
}
