#include "gateway/socket.h"

#include <errno.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/node_addresses.h"
#include "gateway/uplink.h"
#include "lib/netns.h"

#define BACKLOG 4096

int socket_open(const struct gateway *gateway, bool outside, int type)
{
	if (outside)
		return uplink_socket(gateway->uplink, type);
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

/* An address of another node is served in that one's network namespace. */
static int open_at(const struct gateway *gateway, bool outside, int type, struct endpoint address)
{
	const struct other_node *node =
	    outside ? NULL : options_node(&gateway->options, address.address);

	return node == NULL ? socket_open(gateway, outside, type)
	                    : netns_socket(node->netns, AF_INET, type | SOCK_NONBLOCK, 0);
}

static int serve(const struct gateway *gateway, bool outside, int type, struct endpoint address,
                 bool reuse)
{
	const struct sockaddr_in bound = endpoint_to_socket(address);
	const int on = 1;
	int fd = open_at(gateway, outside, type, address);

	if (fd < 0)
		return fd;
	if ((reuse && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0) ||
	    bind(fd, (const struct sockaddr *)&bound, sizeof(bound)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, BACKLOG) < 0)) {
		int status = -errno;
		close(fd);
		return status;
	}
	return fd;
}

static bool could_serve(const struct gateway *gateway, struct endpoint address, bool reuse)
{
	int fd = serve(gateway, true, SOCK_STREAM, address, reuse);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/*
 * Whether somebody in the runner's namespace listens on the port. With SO_REUSEADDR gVisor lets one
 * socket listen on 127.0.0.1 beside another on 0.0.0.0, from which it would silently take what comes
 * for it; without, it refuses also where only an earlier listener's connections are in TIME_WAIT.
 */
static bool taken(const struct gateway *gateway, struct endpoint address)
{
	const struct endpoint any = {.address = INADDR_ANY, .port = address.port};

	return !could_serve(gateway, address, false) && !could_serve(gateway, any, true);
}

int socket_serve(const struct gateway *gateway, bool outside, int type, struct endpoint address)
{
	if (type == SOCK_DGRAM)
		return serve(gateway, outside, type, address, false);
	if (outside && taken(gateway, address))
		return -EADDRINUSE;
	return serve(gateway, outside, type, address, true);
}

int socket_reserve(const struct gateway *gateway, struct endpoint address)
{
	const struct sockaddr_in bound = endpoint_to_socket(address);
	int fd = socket_open(gateway, false, SOCK_STREAM);

	if (fd >= 0 && bind(fd, (const struct sockaddr *)&bound, sizeof(bound)) < 0) {
		int status = -errno;
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

static int send_to(int fd, const void *datagram, size_t size, const struct sockaddr_in *client)
{
	ssize_t sent = sendto(fd, datagram, size, MSG_NOSIGNAL, (const struct sockaddr *)client,
	                      sizeof(*client));

	return sent < 0 ? -errno : 0;
}

/*
 * gVisor ties a UDP socket, when it is bound, to a link that has the address. While the node talks
 * to itself its loopback has it too (Stack.CheckLocalAddress, pkg/tcpip/stack/stack.go, goes through
 * a Go map), and tied to that the socket hears everybody but reaches no pod: "Network is
 * unreachable". Naming the link, once the socket is bound, changes where it sends and not what it
 * hears. Every node's link has the same name. Linux never gets here.
 */
int socket_answer(const struct gateway *gateway, int fd, const void *datagram, size_t size,
                  const struct sockaddr_in *client)
{
	char link[IF_NAMESIZE];
	int status = send_to(fd, datagram, size, client);

	if (status != -ENETUNREACH)
		return status;
	if (if_indextoname(gateway->addresses->link, link) == NULL ||
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, link, IF_NAMESIZE) < 0)
		return -errno;
	return send_to(fd, datagram, size, client);
}

bool address_is_outside(const struct gateway *gateway, uint32_t address)
{
	return !network_contains(&gateway->options.pod_cidr, address) &&
	       !network_contains(&gateway->options.service_cidr, address) &&
	       address_is_unicast(address) && !node_addresses_has(gateway->addresses, address);
}

bool endpoint_is_outside(const struct gateway *gateway, enum side side, struct endpoint endpoint)
{
	if (side == SIDE_BY_ADDRESS)
		return !network_contains(&gateway->options.pod_cidr, endpoint.address);
	return side == SIDE_OUTSIDE;
}
