#include "lib/netlink.h"

#include "lib/cleanup.h"
#include "lib/netns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void *append(struct netlink_message *message, size_t size)
{
	size_t at = message->header.nlmsg_len;

	/*
	 * The last attribute is padded as well: gVisor answers EINVAL when it is not (AttrsView's
	 * ParseFirst in pkg/sentry/socket/netlink/nlmsg/message.go).
	 */
	size = NLMSG_ALIGN(size);
	if (at + size > sizeof message->bytes)
		abort();
	message->header.nlmsg_len = (uint32_t)(at + size);
	return message->bytes + at;
}

void netlink_begin(struct netlink_message *message, uint16_t type, uint16_t flags, const void *body,
                   size_t size)
{
	memset(message, 0, sizeof *message);
	message->header.nlmsg_len = NLMSG_HDRLEN;
	message->header.nlmsg_type = type;
	message->header.nlmsg_flags = NLM_F_REQUEST | flags;
	memcpy(append(message, size), body, size);
}

static struct rtattr *put(struct netlink_message *message, uint16_t type, const void *data,
                          size_t size)
{
	struct rtattr *attribute = append(message, RTA_LENGTH(size));

	attribute->rta_type = type;
	attribute->rta_len = (unsigned short)RTA_LENGTH(size);
	if (size > 0)
		memcpy(RTA_DATA(attribute), data, size);
	return attribute;
}

void netlink_put(struct netlink_message *message, uint16_t type, const void *data, size_t size)
{
	put(message, type, data, size);
}

void netlink_put_text(struct netlink_message *message, uint16_t type, const char *text)
{
	put(message, type, text, strlen(text) + 1);
}

struct rtattr *netlink_nest(struct netlink_message *message, uint16_t type, const void *body,
                            size_t size)
{
	return put(message, type, body, size);
}

void netlink_nest_end(struct netlink_message *message, struct rtattr *nest)
{
	const char *end = message->bytes + message->header.nlmsg_len;

	nest->rta_len = (unsigned short)(end - (const char *)nest);
}

int netlink_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	return fd < 0 ? -errno : fd;
}

int netlink_open_at(const char *path)
{
	return netns_socket(path, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
}

static int transmit(int fd, struct netlink_message *message)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	if (sendto(fd, message->bytes, message->header.nlmsg_len, 0, (struct sockaddr *)&kernel,
	           sizeof kernel) < 0)
		return -errno;
	return 0;
}

static int verdict(struct nlmsghdr *header)
{
	const struct nlmsgerr *answer = NLMSG_DATA(header);

	if (header->nlmsg_len < NLMSG_LENGTH(sizeof answer->error))
		return -EBADMSG;
	return answer->error;
}

struct rtattr *netlink_attribute(struct nlmsghdr *header, size_t body, struct rtattr *previous)
{
	char *end = (char *)header + header->nlmsg_len;
	char *at = (char *)header + NLMSG_SPACE(body);
	struct rtattr *attribute;

	if (previous != NULL)
		at = (char *)previous + RTA_ALIGN(previous->rta_len);
	attribute = (struct rtattr *)at;
	if (at > end || (size_t)(end - at) < sizeof *attribute)
		return NULL;
	if (attribute->rta_len < sizeof *attribute || attribute->rta_len > end - at)
		return NULL;
	return attribute;
}

static ssize_t receive_into(int fd, char *buffer, size_t size, int flags)
{
	ssize_t received;

	do
		received = recv(fd, buffer, size, flags);
	while (received < 0 && errno == EINTR);
	if (received < 0)
		return -errno;
	return received == 0 ? -EBADMSG : received;
}

/*
 * Receives one datagram whole; its size, or -errno. Linux cuts a dump into datagrams as large as
 * the reader's buffer; gVisor answers with one, however large (Socket.sendResponse in
 * pkg/sentry/socket/netlink/socket.go).
 */
static ssize_t receive_datagram(int fd, char **buffer, size_t *size)
{
	ssize_t length = receive_into(fd, *buffer, *size, MSG_PEEK | MSG_TRUNC);

	if (length < 0)
		return length;
	if ((size_t)length > *size) {
		char *larger = realloc(*buffer, (size_t)length);

		if (larger == NULL)
			return -ENOMEM;
		*buffer = larger;
		*size = (size_t)length;
	}
	return receive_into(fd, *buffer, *size, 0);
}

/* Reads answers until the one that ends the request: an error (0 is success), or a dump's DONE. */
static int receive(int fd, netlink_visitor *visit, void *data)
{
	size_t size = 16384;
	cleanup_free char *buffer = malloc(size);
	int result = 0;

	if (buffer == NULL)
		return -ENOMEM;
	for (;;) {
		ssize_t received = receive_datagram(fd, &buffer, &size);

		if (received < 0)
			return (int)received;
		size_t left = (size_t)received;
		for (struct nlmsghdr *header = (struct nlmsghdr *)(void *)buffer;
		     NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
			if (header->nlmsg_type == NLMSG_ERROR) {
				int error = verdict(header);

				return error != 0 ? error : result;
			}
			if (header->nlmsg_type == NLMSG_DONE)
				return result;
			if (visit != NULL && result == 0)
				result = visit(header, data);
		}
	}
}

int netlink_get(int fd, struct netlink_message *message, netlink_visitor *visit, void *data)
{
	int error;

	message->header.nlmsg_flags |= NLM_F_ACK;
	error = transmit(fd, message);
	return error != 0 ? error : receive(fd, visit, data);
}

int netlink_request(int fd, struct netlink_message *message)
{
	return netlink_get(fd, message, NULL, NULL);
}

int netlink_dump(int fd, struct netlink_message *message, netlink_visitor *visit, void *data)
{
	int error;

	message->header.nlmsg_flags |= NLM_F_DUMP;
	error = transmit(fd, message);
	return error != 0 ? error : receive(fd, visit, data);
}
