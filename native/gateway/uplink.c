#include "gateway/uplink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/descriptor.h"
#include "lib/uplink.h"

/* Of each type: kept, or asked for and on their way. */
#define STOCK 8
#define TYPES 3

/* Milliseconds that the parent has to make a socket when none is kept. */
#define PATIENCE 1000

struct stock {
	int type;
	size_t size; /* as many are kept */
	int kept[STOCK];
	size_t count;
	size_t asked;
};

struct uplink {
	struct source source;
	struct loop *loop;
	struct stock stocks[TYPES];
	/* Replies come in the order of requests. */
	struct stock *order[TYPES * STOCK];
	size_t first;
	size_t last;
	int error;  /* of the newest request that failed, told to whoever asks next */
	bool stuck; /* it took too long once, and has made nothing since */
};

static void refill(struct uplink *uplink)
{
	for (size_t i = 0; i < TYPES; i++) {
		struct stock *stock = &uplink->stocks[i];
		const struct uplink_request request = {.family = 4, .type = (uint8_t)stock->type};
		while (stock->count + stock->asked < stock->size) {
			/* A parent that is behind is asked again after its next reply. */
			if (descriptor_send(uplink->source.fd, &request, sizeof(request), -1) < 0)
				return;
			stock->asked++;
			uplink->order[uplink->last++ % (TYPES * STOCK)] = stock;
		}
	}
}

/* Returns 0 when a reply was there, or -errno. */
static int receive(struct uplink *uplink)
{
	struct uplink_reply reply;
	int fd;
	int status = descriptor_receive(uplink->source.fd, &reply, sizeof(reply), &fd);

	if (status < 0)
		return status;
	if (uplink->first == uplink->last) {
		if (fd >= 0)
			close(fd);
		return -EPROTO;
	}
	struct stock *stock = uplink->order[uplink->first++ % (TYPES * STOCK)];
	stock->asked--;
	uplink->stuck = false;
	if (reply.error == 0 && fd >= 0)
		stock->kept[stock->count++] = fd;
	else
		uplink->error = reply.error != 0 ? -reply.error : -EPROTO;
	return 0;
}

static void reply_ready(struct source *source, uint32_t events)
{
	struct uplink *uplink = list_object(source, struct uplink, source);
	int status;

	(void)events;
	while ((status = receive(uplink)) == 0)
		continue;
	/* Without a parent there are no more sockets; it takes the gateway along when it goes. */
	if (status != -EAGAIN)
		loop_close(uplink->loop, source);
}

struct uplink *uplink_open(struct loop *loop, int fd)
{
	/* Of those for echo one is enough, and it may be refused: it is asked for when it is wanted. */
	static const struct stock stocks[TYPES] = {
	    {.type = SOCK_STREAM, .size = STOCK},
	    {.type = SOCK_DGRAM, .size = STOCK},
	    {.type = UPLINK_ECHO},
	};
	struct uplink *uplink = calloc(1, sizeof(*uplink));

	if (uplink == NULL)
		return NULL;
	uplink->loop = loop;
	source_init(&uplink->source, reply_ready);
	memcpy(uplink->stocks, stocks, sizeof(stocks));
	int status = fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
	if (status == 0)
		status = loop_watch(loop, &uplink->source, fd, EPOLLIN);
	if (status < 0) {
		free(uplink);
		errno = -status;
		return NULL;
	}
	refill(uplink);
	return uplink;
}

void uplink_close(struct uplink *uplink)
{
	loop_close(uplink->loop, &uplink->source);
	for (size_t i = 0; i < TYPES; i++)
		while (uplink->stocks[i].count > 0)
			close(uplink->stocks[i].kept[--uplink->stocks[i].count]);
	free(uplink);
}

static int64_t milliseconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Waits for a socket of the stock, for a time. Returns 0 or -errno. */
static int wait_for(struct uplink *uplink, const struct stock *stock)
{
	int64_t until = milliseconds() + (uplink->stuck ? 0 : PATIENCE);

	uplink->error = 0;
	while (stock->count == 0) {
		refill(uplink);
		struct pollfd fd = {.fd = uplink->source.fd, .events = POLLIN};
		int64_t left = until - milliseconds();
		if (poll(&fd, 1, left > 0 ? (int)left : 0) == 0) {
			uplink->stuck = true;
			return -ETIMEDOUT;
		}
		int status = receive(uplink);
		if (status < 0 && status != -EAGAIN)
			return status;
		if (uplink->error != 0)
			return uplink->error;
	}
	return 0;
}

int uplink_socket(struct uplink *uplink, int type)
{
	struct stock *stock = uplink->stocks;

	while (stock->type != type)
		stock++;
	if (uplink->source.fd < 0)
		return -ENOTCONN;
	if (type == UPLINK_ECHO)
		stock->size = 1;
	int status = stock->count > 0 ? 0 : wait_for(uplink, stock);
	if (type == UPLINK_ECHO)
		stock->size = 0;
	if (status < 0)
		return status;
	int fd = stock->kept[--stock->count];
	refill(uplink);
	return fd;
}
