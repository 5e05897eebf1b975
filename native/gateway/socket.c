#include "gateway/socket.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/uplink.h"

#define BACKLOG 4096

int socket_open(const struct gateway *gateway, bool outside, int type)
{
	if (outside)
		return uplink_socket(gateway->uplink, type);
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

static int bind_to(int fd, int type, struct endpoint address)
{
	const struct sockaddr_in bound = endpoint_to_socket(address);
	const int on = 1;

	/* For TCP it lets a new gateway listen while the last one's connections are in TIME_WAIT;
	 * for UDP it would let two bind the same address. */
	if (type == SOCK_STREAM && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&bound, sizeof(bound)) < 0)
		return -errno;
	if (type == SOCK_STREAM && listen(fd, BACKLOG) < 0)
		return -errno;
	return 0;
}

int socket_serve(const struct gateway *gateway, bool outside, int type, struct endpoint address)
{
	int fd = socket_open(gateway, outside, type);

	if (fd < 0)
		return fd;
	int status = bind_to(fd, type, address);
	if (status < 0) {
		close(fd);
		return status;
	}
	return fd;
}

int socket_connect(int fd, struct endpoint destination)
{
	const struct sockaddr_in address = endpoint_to_socket(destination);

	return connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

bool endpoint_is_outside(const struct gateway *gateway, enum side side, struct endpoint endpoint)
{
	if (side == SIDE_BY_ADDRESS)
		return !network_contains(&gateway->options.pod_cidr, endpoint.address);
	return side == SIDE_OUTSIDE;
}
