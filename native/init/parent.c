#include "init/parent.h"

#include "init/child.h"
#include "init/signals.h"
#include "init/status.h"
#include "init/supervisor.h"
#include "init/uplink.h"
#include "lib/cleanup.h"
#include "lib/descriptor.h"
#include "lib/mapper.h"
#include "lib/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct parent {
	pid_t child;
	int signal_fd;
	int channel_fd; /* from the child: uplinks to serve */
	size_t uplink_count;
	int uplinks[SUPERVISOR_PROCESSES];
};

static int map_ids(const struct launch *launch, pid_t pid, struct position *position,
                   struct failure *failure)
{
	int error = 0;

	position->directive = "mapper";
	if (launch->mapper.count > 0)
		return mapper_run(&launch->mapper, pid, failure);
	position->directive = "setgroups";
	if (launch->deny_setgroups)
		error = namespaces_deny_setgroups(pid, failure);
	if (error != 0)
		return error;
	position->directive = "map-gid";
	error = namespaces_map(pid, "gid_map", &launch->gids, failure);
	if (error != 0)
		return error;
	position->directive = "map-uid";
	return namespaces_map(pid, "uid_map", &launch->uids, failure);
}

static void accept_uplink(struct parent *parent)
{
	char message;
	int uplink;
	int error = descriptor_receive(parent->channel_fd, &message, sizeof message, &uplink);

	if (error != 0 && error != -EBADMSG)
		close(steal_fd(&parent->channel_fd));
	if (uplink < 0)
		return;
	if (parent->uplink_count == SUPERVISOR_PROCESSES)
		close(uplink);
	else
		parent->uplinks[parent->uplink_count++] = uplink;
}

static void serve_uplink(struct parent *parent, size_t index)
{
	if (uplink_serve(parent->uplinks[index]) == 0)
		return;
	close(parent->uplinks[index]);
	parent->uplinks[index] = parent->uplinks[--parent->uplink_count];
}

/* The child's exit status as ours, or -1 while it runs. */
static int read_signal(struct parent *parent)
{
	struct signalfd_siginfo info;
	int status;

	if (read(parent->signal_fd, &info, sizeof info) != sizeof info)
		return -1;
	if (info.ssi_signo != SIGCHLD) {
		kill(parent->child, SIGTERM);
		return -1;
	}
	if (waitpid(parent->child, &status, WNOHANG) != parent->child)
		return -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int serve(struct parent *parent)
{
	for (;;) {
		struct pollfd fds[2 + SUPERVISOR_PROCESSES] = {
		    {.fd = parent->signal_fd, .events = POLLIN},
		    {.fd = parent->channel_fd, .events = POLLIN},
		};
		size_t count = parent->uplink_count;
		int exit_status;

		for (size_t i = 0; i < count; i++)
			fds[2 + i] = (struct pollfd){.fd = parent->uplinks[i], .events = POLLIN};
		if (poll(fds, 2 + count, -1) < 0)
			continue;
		/* From the last: one that ends is replaced by the last, which was served. */
		for (size_t i = count; i-- > 0;)
			if (fds[2 + i].revents != 0)
				serve_uplink(parent, i);
		if (fds[1].revents != 0)
			accept_uplink(parent);
		exit_status = fds[0].revents != 0 ? read_signal(parent) : -1;
		if (exit_status >= 0)
			return exit_status;
	}
}

/* Ends the child that waits for its permission, and reports why. */
static int give_up(struct parent *parent, int status_fd, const struct position *position,
                   const struct failure *failure)
{
	kill(parent->child, SIGKILL);
	waitpid(parent->child, NULL, 0);
	status_failed(status_fd, position, failure);
	return 1;
}

int parent_run(const struct launch *launch, int status_fd)
{
	struct parent parent = {.signal_fd = -1, .channel_fd = -1};
	struct position position = {.line = 0, .directive = "namespaces"};
	struct failure failure;
	int channel[2], permission[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) != 0 ||
	    pipe2(permission, O_CLOEXEC) != 0) {
		fail(&failure, errno, "connect the two halves of init");
		status_failed(status_fd, &position, &failure);
		return 1;
	}
	parent.child = namespaces_clone(launch->namespaces);
	if (parent.child < 0) {
		fail(&failure, errno, "create the namespaces");
		status_failed(status_fd, &position, &failure);
		return 1;
	}
	if (parent.child == 0) {
		close(channel[0]);
		close(permission[1]);
		_exit(child_run(launch, status_fd, channel[1], permission[0]));
	}
	close(channel[1]);
	close(permission[0]);
	parent.channel_fd = channel[0];
	parent.signal_fd = signals_open();
	if (parent.signal_fd < 0) {
		fail(&failure, -parent.signal_fd, "open a signalfd");
		return give_up(&parent, status_fd, &position, &failure);
	}
	if ((launch->namespaces & CLONE_NEWUSER) != 0 &&
	    map_ids(launch, parent.child, &position, &failure) != 0)
		return give_up(&parent, status_fd, &position, &failure);
	if (write(permission[1], "", 1) != 1) {
		fail(&failure, errno, "start the child");
		return give_up(&parent, status_fd, &position, &failure);
	}
	return serve(&parent);
}
