#include "lib/descriptor.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

int descriptor_send(int socket, const void *data, size_t size, int fd)
{
	/* sendmsg only reads the data; iov_base is not const because recvmsg shares the type. */
	struct iovec part = {.iov_base = (void *)(size_t)data, .iov_len = size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	union control control = {0};

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof control;
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
	}
	for (;;) {
		if (sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
}

int descriptor_receive(int socket, void *data, size_t size, int *fd)
{
	struct iovec part = {.iov_base = data, .iov_len = size};
	union control control = {0};
	struct msghdr message = {
	    .msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof control,
	};
	ssize_t received;

	do
		received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (received < 0 && errno == EINTR);
	*fd = -1;
	if (received < 0)
		return -errno;
	if (message.msg_controllen >= sizeof control.header &&
	    control.header.cmsg_level == SOL_SOCKET && control.header.cmsg_type == SCM_RIGHTS &&
	    control.header.cmsg_len == CMSG_LEN(sizeof *fd))
		memcpy(fd, CMSG_DATA(&control.header), sizeof *fd);
	if ((size_t)received == size && (message.msg_flags & MSG_TRUNC) == 0)
		return 0;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return received == 0 ? -ECONNRESET : -EBADMSG;
}
