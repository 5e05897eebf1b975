#include "init/process.h"

#include "lib/cleanup.h"
#include "lib/uplink.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHORTEST_DELAY_MS 100
#define LONGEST_DELAY_MS 10000
/* A process that ran this long is taken for healthy: its next restart waits the least again. */
#define HEALTHY_AFTER_MS 10000

int process_parse_policy(const char *name, enum policy *out)
{
	static const char *const names[] = {
	    [POLICY_ESSENTIAL] = "essential",
	    [POLICY_RESTART] = "restart",
	    [POLICY_HELPER] = "helper",
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (strcmp(names[i], name) == 0) {
			*out = (enum policy)i;
			return 0;
		}
	}
	return -EINVAL;
}

int process_restart_delay(int previous, int64_t ran_for)
{
	if (previous == 0 || ran_for >= HEALTHY_AFTER_MS)
		return SHORTEST_DELAY_MS;
	return previous * 2 < LONGEST_DELAY_MS ? previous * 2 : LONGEST_DELAY_MS;
}

/* The file descriptors the new process starts with. */
struct descriptors {
	int null, log, uplink, ready;
};

/* Moves fd out of the way of the numbers a process is started with. */
static int move_up(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, READY_FD + 1);
}

/* Everything else is close-on-exec: main closed what we were started with, and we open so. */
static int arrange(const struct descriptors *descriptors)
{
	int null = move_up(descriptors->null), log = move_up(descriptors->log);
	int ready = move_up(descriptors->ready);
	int uplink = descriptors->uplink < 0 ? -1 : move_up(descriptors->uplink);

	if (dup2(null, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 ||
	    dup2(log, STDERR_FILENO) < 0 || dup2(ready, READY_FD) < 0)
		return -errno;
	if (descriptors->uplink >= 0 && dup2(uplink, UPLINK_FD) < 0)
		return -errno;
	return 0;
}

/* By the raw call: the C library refuses the signals it keeps for its threads (32 to 34), and whoever
 * started us may have them ignored, as GNU time does. */
static void reset_signals(void)
{
	static const unsigned long default_action[4];
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		syscall(SYS_rt_sigaction, number, default_action, NULL, (size_t)NSIG / 8);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* After fork: only returns, with -errno, when the program does not run. */
static int become(const struct process *process, char **environment,
                  const struct descriptors *descriptors, pid_t parent)
{
	int error;

	/* Checked after the call: a parent that died before it is not noticed by it. */
	if (parent != 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent))
		return -ESRCH;
	if (setsid() < 0)
		return -errno;
	error = arrange(descriptors);
	if (error != 0)
		return error;
	reset_signals();
	execve(process->arguments.items[0], process->arguments.items, environment);
	return -errno;
}

/* Merges the two, the second winning; both are entries "key=value". */
static int merge(const struct strings *common, const struct strings *own, struct strings *out)
{
	const struct strings *both[] = {common, own};

	for (size_t from = 0; from < 2; from++) {
		for (size_t i = 0; i < both[from]->count; i++) {
			const char *entry = both[from]->items[i];
			size_t length = strcspn(entry, "=");
			cleanup_free char *key = strndup(entry, length);

			if (key == NULL || strings_set(out, key, entry + length + 1) != 0)
				return -ENOMEM;
		}
	}
	return 0;
}

static int set_number(struct strings *environment, const char *key, int value)
{
	char text[12];

	snprintf(text, sizeof text, "%d", value);
	return strings_set(environment, key, text);
}

/* Programs look for what they are given by name. */
static int name_descriptors(bool has_uplink, struct strings *environment)
{
	int error = set_number(environment, "READY_FD", READY_FD);

	return error != 0 || !has_uplink ? error : set_number(environment, "UPLINK_FD", UPLINK_FD);
}

/* Forks, and waits until the program runs or could not be executed: 0 or -errno. */
static int launch(struct process *process, char **environment,
                  const struct descriptors *descriptors, bool bound_to_us)
{
	cleanup_fd int executed = -1, report = -1;
	pid_t parent = bound_to_us ? getpid() : 0;
	int ends[2];
	int error = 0;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -errno;
	executed = ends[0];
	report = move_up(ends[1]);
	close(ends[1]);
	if (report < 0)
		return -errno;
	process->pid = fork();
	if (process->pid < 0) {
		process->pid = 0;
		return -errno;
	}
	if (process->pid == 0) {
		error = become(process, environment, descriptors, parent);
		if (write(report, &error, sizeof error) < 0)
			_exit(126);
		_exit(127);
	}
	close(steal_fd(&report));
	/* execve closes the other end: nothing to read means that the program runs. */
	while (read(executed, &error, sizeof error) < 0)
		if (errno != EINTR)
			return -errno;
	if (error != 0) {
		waitpid(process->pid, NULL, 0);
		process->pid = 0;
	}
	return error;
}

int process_start(struct process *process, const struct strings *environment, int uplink,
                  bool bound_to_us, struct failure *failure)
{
	struct strings merged = {0};
	cleanup_fd int null = -1, log = -1, ready = -1, told = -1;
	int ends[2];
	int error;

	if (process->arguments.count == 0)
		return fail_input(failure, "Process %s has no argument: the first is its program",
		                  process->name);
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0)
		return fail(failure, errno, "open /dev/null for %s", process->name);
	log = open(process->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (log < 0)
		return fail(failure, errno, "open log %s of %s", process->log, process->name);
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return fail(failure, errno, "make a pipe for %s", process->name);
	told = ends[0];
	ready = ends[1];
	error = merge(environment, &process->environment, &merged);
	if (error == 0)
		error = name_descriptors(uplink >= 0, &merged);
	if (error == 0)
		error = launch(process, merged.items,
		               &(struct descriptors){null, log, uplink, ready}, bound_to_us);
	strings_free(&merged);
	if (error != 0)
		return fail(failure, -error, "execute %s", process->arguments.items[0]);
	process->ready = false;
	if (process->ready_fd >= 0)
		close(process->ready_fd);
	process->ready_fd = steal_fd(&told);
	return 0;
}

void process_read_ready(struct process *process)
{
	char bytes[16];
	ssize_t received;

	if (process->ready_fd < 0)
		return;
	received = read(process->ready_fd, bytes, sizeof bytes);
	if (received > 0)
		process->ready = true;
	else if (received == 0 || (errno != EAGAIN && errno != EINTR))
		close(steal_fd(&process->ready_fd));
}
