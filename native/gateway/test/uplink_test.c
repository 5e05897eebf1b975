/* The stock of the runner's sockets, with a parent that may be stopped. */
#include "gateway/uplink.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/descriptor.h"
#include "lib/test/tap.h"
#include "lib/uplink.h"

/* As init's parent does it. */
static pid_t start_parent(int *end)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	pid_t parent = fork();
	if (parent == 0) {
		struct uplink_request request;
		struct uplink_reply reply = {0};
		int none;
		close(ends[0]);
		while (descriptor_receive(ends[1], &request, sizeof(request), &none) == 0) {
			int fd = socket(AF_INET, request.type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
			descriptor_send(ends[1], &reply, sizeof(reply), fd);
			close(fd);
		}
		_exit(0);
	}
	close(ends[1]);
	*end = ends[0];
	return parent;
}

static int type_of(int fd)
{
	int type = -1;
	socklen_t size = sizeof(type);

	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
	return type;
}

static long milliseconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void take_many(struct uplink *uplink)
{
	bool right = true;

	for (int i = 0; i < 100; i++) {
		int type = i % 3 == 0 ? SOCK_DGRAM : SOCK_STREAM;
		int fd = uplink_socket(uplink, type);
		right = right && fd >= 0 && type_of(fd) == type;
		close(fd);
	}
	check(right, "a hundred sockets, each of the type that was asked for");
}

static void stopped_parent(struct uplink *uplink, pid_t parent)
{
	int status = 0, count = 0;
	long began;

	kill(parent, SIGSTOP);
	waitpid(parent, &status, WUNTRACED);
	began = milliseconds();
	for (; (status = uplink_socket(uplink, SOCK_STREAM)) >= 0; count++)
		close(status);
	check_number(status, -ETIMEDOUT, "a parent that is stopped is not waited for for ever");
	check(count <= 8, "what was kept is used up after %d", count);
	check(milliseconds() - began < 3000, "a second, not more");
	began = milliseconds();
	check_number(uplink_socket(uplink, SOCK_STREAM), -ETIMEDOUT, "then it is given up");
	check(milliseconds() - began < 500, "at once");
	kill(parent, SIGCONT);
	for (status = -1; status < 0 && milliseconds() - began < 20000;)
		status = uplink_socket(uplink, SOCK_STREAM);
	check(status >= 0, "until it goes on");
	close(status);
	take_many(uplink);
}

int main(void)
{
	struct loop loop;
	int end = -1;
	pid_t parent = start_parent(&end);

	signal(SIGPIPE, SIG_IGN);
	loop_init(&loop);
	struct uplink *uplink = uplink_open(&loop, end);
	if (!check(uplink != NULL, "opened"))
		return tap_done();
	take_many(uplink);
	stopped_parent(uplink, parent);
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	for (int i = 0; i < 8; i++)
		close(uplink_socket(uplink, SOCK_STREAM));
	check(uplink_socket(uplink, SOCK_STREAM) < 0, "without a parent there are no sockets");
	uplink_close(uplink);
	loop_end(&loop);
	return tap_done();
}
