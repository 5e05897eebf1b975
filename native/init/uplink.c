#include "init/uplink.h"

#include "lib/cleanup.h"
#include "lib/descriptor.h"
#include "lib/uplink.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

/* The socket asked for, or -errno. */
static int make_socket(const struct uplink_request *request)
{
	int family = request->family == 4 ? AF_INET : AF_INET6;
	bool echo = request->type == UPLINK_ECHO && request->family == 4;
	int type = echo ? SOCK_DGRAM : request->type;
	int fd;

	if ((request->family != 4 && request->family != 6) ||
	    (type != SOCK_STREAM && type != SOCK_DGRAM))
		return -EINVAL;
	fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, echo ? IPPROTO_ICMP : 0);
	return fd < 0 ? -errno : fd;
}

int uplink_serve(int socket)
{
	struct uplink_request request;
	struct uplink_reply reply = {0};
	cleanup_fd int made = -1;
	int with_request;
	int error = descriptor_receive(socket, &request, sizeof request, &with_request);

	if (with_request >= 0)
		close(with_request);
	if (error == 0)
		made = make_socket(&request);
	else if (error == -EBADMSG)
		made = -EINVAL;
	else
		return error;
	if (made < 0)
		reply.error = -made;
	/* Never waits: who does not read its replies loses the uplink, not the others theirs. */
	return descriptor_send(socket, &reply, sizeof reply, made);
}
