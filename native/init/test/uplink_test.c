/*
 * The uplink with both its ends here; and, as `uplink_test ADDRESS`, as a process that init
 * started, on its UPLINK_FD: the address must be the runner's and no address of the namespace.
 */
#include "init/uplink.h"

#include "lib/cleanup.h"
#include "lib/descriptor.h"
#include "lib/test/tap.h"
#include "lib/uplink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

static int option_of(int fd, int option)
{
	int value = -1;
	socklen_t size = sizeof value;

	getsockopt(fd, SOL_SOCKET, option, &value, &size);
	return value;
}

static void serves(void)
{
	static const struct {
		struct uplink_request request;
		int error, domain;
	} table[] = {
	    {{4, SOCK_STREAM}, 0, AF_INET},  {{4, SOCK_DGRAM}, 0, AF_INET},
	    {{6, SOCK_STREAM}, 0, AF_INET6}, {{5, SOCK_STREAM}, EINVAL, 0},
	    {{4, SOCK_RAW}, EINVAL, 0},      {{0, 0}, EINVAL, 0},
	};
	int ends[2];

	if (!check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0, "a pair"))
		return;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct uplink_reply reply;
		cleanup_fd int fd = -1;

		descriptor_send(ends[0], &table[i].request, sizeof table[i].request, -1);
		check_number(uplink_serve(ends[1]), 0, "one request is served");
		check_number(descriptor_receive(ends[0], &reply, sizeof reply, &fd), 0, "replied");
		check_number(reply.error, table[i].error, "error");
		if (!check((fd >= 0) == (table[i].error == 0), "a socket if no error") || fd < 0)
			continue;
		check_number(option_of(fd, SO_DOMAIN), table[i].domain, "family");
		check_number(option_of(fd, SO_TYPE), table[i].request.type, "type");
	}
	close(ends[1]);
	close(ends[0]);
}

static void survives(void)
{
	struct uplink_reply reply;
	int ends[2], fd, count = 0;

	socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
	descriptor_send(ends[0], "too long", 8, ends[0]);
	check_number(uplink_serve(ends[1]), 0, "a request of another size is served");
	check_number(descriptor_receive(ends[0], &reply, sizeof reply, &fd), 0, "replied");
	check(reply.error == EINVAL && fd == -1, "with an error");
	/* Requests whose replies nobody reads end the uplink, and not by waiting. */
	while (count < 100000) {
		const struct uplink_request request = {4, SOCK_STREAM};

		if (descriptor_send(ends[0], &request, sizeof request, -1) != 0 ||
		    uplink_serve(ends[1]) != 0)
			break;
		count++;
	}
	check(count < 100000, "unread replies end it, here after %d", count);
	close(ends[0]);
	while (uplink_serve(ends[1]) == 0)
		continue;
	check(true, "and so does the end of the other side");
	close(ends[1]);
}

static int bind_to(int fd, const char *address)
{
	struct sockaddr_in socket_address = {.sin_family = AF_INET};

	if (inet_pton(AF_INET, address, &socket_address.sin_addr) != 1)
		return EINVAL;
	return bind(fd, (struct sockaddr *)&socket_address, sizeof socket_address) == 0 ? 0 : errno;
}

static void asks(const char *address, uint8_t type)
{
	const struct uplink_request request = {4, type};
	struct uplink_reply reply = {.error = -1};
	cleanup_fd int fd = -1, own = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	check_number(descriptor_send(UPLINK_FD, &request, sizeof request, -1), 0, "asked");
	check_number(descriptor_receive(UPLINK_FD, &reply, sizeof reply, &fd), 0, "answered");
	check_number(reply.error, 0, "error");
	check_number(bind_to(fd, address), 0, "the runner's address is the socket's to take");
	check_number(bind_to(own, address), EADDRNOTAVAIL, "it is not ours to take");
}

int main(int count, char **arguments)
{
	if (count == 2) {
		asks(arguments[1], SOCK_STREAM);
		asks(arguments[1], SOCK_DGRAM);
	} else {
		serves();
		survives();
	}
	return tap_done();
}
