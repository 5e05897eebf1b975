#include "lib/netns.h"

#include "lib/cleanup.h"
#include "lib/die.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

int netns_socket(const char *path, int domain, int type, int protocol)
{
	cleanup_fd int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	/* Not to wait for whoever would open a FIFO of that name. */
	cleanup_fd int other = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (own < 0 || other < 0 || setns(other, CLONE_NEWNET) != 0)
		return -errno;
	int fd = socket(domain, type | SOCK_CLOEXEC, protocol);
	int status = fd < 0 ? -errno : fd;
	if (setns(own, CLONE_NEWNET) != 0)
		die_errno("return to the network namespace");
	return status;
}
