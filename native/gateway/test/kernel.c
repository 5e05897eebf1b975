#include "gateway/test/kernel.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/iptables.h"

#define SO_ORIGINAL_DST 80
#define WINDOW (128 * 1024)
#define ANSWERS_MAX 128

bool kernel_share;
size_t kernel_limit = KERNEL_STREAMS;
bool kernel_short_writes;
size_t kernel_epoll_calls;
unsigned kernel_refuses_rules, kernel_replaced_rules;

static struct stream streams[KERNEL_STREAMS];
static size_t stream_count; /* slots are not used again before kernel_begin() */
static struct {
	uint32_t address;
	enum answer answer;
} answers[ANSWERS_MAX];
static size_t answer_count;
static const char *complaint;
static int64_t now = 1000000, until;
static struct loop *running;
static uint64_t random_state;

int __real_close(int fd);
int __real_epoll_create1(int flags);
int __real_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event);
int __real_epoll_wait(int epoll, struct epoll_event *events, int size, int timeout);
int __real_clock_gettime(clockid_t clock, struct timespec *time);
ssize_t __real_send(int fd, const void *bytes, size_t size, int flags);
ssize_t __real_recv(int fd, void *bytes, size_t size, int flags);
int __real_ioctl(int fd, unsigned long request, void *argument);

int __wrap_socket(int domain, int type, int protocol);
int __wrap_close(int fd);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size);
int __wrap_listen(int fd, int backlog);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t size);
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *size, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *bytes, size_t size, int flags);
int __wrap_shutdown(int fd, int how);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t size);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_epoll_create1(int flags);
int __wrap_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event);
int __wrap_epoll_wait(int epoll, struct epoll_event *events, int size, int timeout);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_iptables_replace(const struct iptables_table *table, struct failure *failure);
struct uplink;
int __wrap_uplink_socket(struct uplink *uplink, int type);

static unsigned any(unsigned below)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(random_state >> 33) % below;
}

static struct stream *stream_of(int fd)
{
	if (fd < KERNEL_FIRST || fd >= KERNEL_FIRST + KERNEL_STREAMS)
		return NULL;
	struct stream *stream = &streams[fd - KERNEL_FIRST];
	if (!stream->used || stream->closed)
		complaint = "a call with a descriptor that is closed";
	return stream;
}

static int fail_with(int error)
{
	errno = error;
	return -1;
}

static struct stream *new_stream(void)
{
	if (kernel_open() >= kernel_limit)
		return NULL;
	if (stream_count == KERNEL_STREAMS)
		return NULL;
	streams[stream_count] = (struct stream){.used = true, .window = WINDOW};
	return &streams[stream_count++];
}

static void release(struct stream *stream)
{
	/* What the peer got stays for the test to look at; the slot is not used again. */
	stream->watched = false;
}

void kernel_begin(unsigned seed)
{
	memset(streams, 0, stream_count * sizeof(streams[0]));
	stream_count = 0;
	answer_count = 0;
	complaint = NULL;
	kernel_share = kernel_short_writes = false;
	kernel_limit = KERNEL_STREAMS;
	kernel_epoll_calls = 0;
	kernel_refuses_rules = kernel_replaced_rules = 0;
	random_state = seed;
}

void kernel_begin_again(unsigned seed)
{
	random_state = (uint64_t)seed << 32;
}

void kernel_end(void)
{
	for (size_t i = 0; i < stream_count; i++) {
		free(streams[i].in);
		free(streams[i].got);
	}
	memset(streams, 0, stream_count * sizeof(streams[0]));
	stream_count = 0;
}

void kernel_answer(uint32_t address, enum answer answer)
{
	for (size_t i = 0; i < answer_count; i++) {
		if (answers[i].address == address) {
			answers[i].answer = answer;
			return;
		}
	}
	answers[answer_count].address = address;
	answers[answer_count++].answer = answer;
}

static enum answer answer_of(uint32_t address)
{
	for (size_t i = 0; i < answer_count; i++)
		if (answers[i].address == address)
			return answers[i].answer;
	return ANSWERS;
}

size_t kernel_open(void)
{
	size_t count = 0;

	for (size_t i = 0; i < stream_count; i++)
		count += streams[i].used && !streams[i].closed;
	return count;
}

const char *kernel_complaint(void)
{
	return complaint;
}

void kernel_run(struct loop *loop, int64_t milliseconds)
{
	until = now + milliseconds;
	running = loop;
	loop->stopping = false;
	loop_run(loop);
}

struct stream *kernel_connect(uint16_t port, struct endpoint client, struct endpoint original)
{
	for (size_t i = 0; i < stream_count; i++) {
		struct stream *listener = &streams[i];
		if (!listener->listening || listener->closed || listener->here.port != port)
			continue;
		if (stream_count == KERNEL_STREAMS)
			return NULL;
		struct stream *stream = &streams[stream_count++];
		/* Not one of the gateway's before it is accepted. */
		*stream = (struct stream){.used = true,
		                          .closed = true,
		                          .window = WINDOW,
		                          .there = client,
		                          .original = original};
		while (listener->next != NULL)
			listener = listener->next;
		listener->next = stream;
		return stream;
	}
	return NULL;
}

struct stream *kernel_connected(uint32_t address)
{
	for (size_t i = stream_count; i-- > 0;)
		if (streams[i].used && !streams[i].listening &&
		    streams[i].there.address == address &&
		    streams[i].original.address == 0)
			return &streams[i];
	return NULL;
}

size_t kernel_attempts(uint32_t address)
{
	size_t count = 0;

	for (size_t i = 0; i < stream_count; i++)
		count += streams[i].used && !streams[i].listening &&
		         streams[i].there.address == address &&
		         streams[i].original.address == 0;
	return count;
}

/* What the peer's kernel has acknowledged: half of the window is its own. */
static size_t acknowledged(const struct stream *stream)
{
	size_t most = stream->taken + stream->window / 2;

	return stream->got_size < most ? stream->got_size : most;
}

static size_t room(const struct stream *stream)
{
	size_t held = stream->got_size - stream->taken;

	return held < stream->window ? stream->window - held : 0;
}

void peer_send(struct stream *stream, const void *bytes, size_t size)
{
	stream->in = realloc(stream->in, stream->in_size + size + 1);
	memcpy(stream->in + stream->in_size, bytes, size);
	stream->in_size += size;
	stream->edge |= EPOLLIN;
}

size_t peer_take(struct stream *stream, size_t most)
{
	size_t there = acknowledged(stream) - stream->taken;
	bool full = room(stream) == 0;

	most = most < there ? most : there;
	stream->taken += most;
	if (full && most > 0)
		stream->edge |= EPOLLOUT;
	return most;
}

void peer_window(struct stream *stream, size_t window)
{
	stream->window = window;
	stream->edge |= EPOLLOUT;
}

void peer_fin(struct stream *stream)
{
	stream->in_fin = true;
	stream->edge |= EPOLLIN | EPOLLRDHUP;
}

void peer_reset(struct stream *stream)
{
	stream->reset = true;
	stream->error = ECONNRESET;
	stream->edge |= EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP | EPOLLERR;
}

void kernel_unshare(struct stream *stream)
{
	stream->shared = false;
	if (stream->closed)
		release(stream);
}

static uint32_t readiness(const struct stream *stream)
{
	if (stream->listening)
		return stream->next != NULL ? EPOLLIN : 0;
	if (stream->refused || stream->reset)
		return EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP | EPOLLERR;
	if (stream->connecting)
		return 0;
	return (stream->in_size > 0 || stream->in_fin ? EPOLLIN : 0U) |
	       (stream->in_fin ? EPOLLRDHUP : 0U) | (room(stream) > 0 ? EPOLLOUT : 0U) |
	       (stream->in_fin && stream->got_fin ? EPOLLHUP : 0U);
}

int __wrap_socket(int domain, int type, int protocol)
{
	(void)domain;
	(void)type;
	(void)protocol;
	struct stream *stream = new_stream();
	if (stream == NULL)
		return fail_with(EMFILE);
	stream->shared = kernel_share;
	return KERNEL_FIRST + (int)(stream - streams);
}

int __wrap_uplink_socket(struct uplink *uplink, int type)
{
	int fd = __wrap_socket(AF_INET, type, 0);

	(void)uplink;
	return fd < 0 ? -errno : fd;
}

int __wrap_iptables_replace(const struct iptables_table *table, struct failure *failure)
{
	(void)table;
	if (kernel_refuses_rules > 0) {
		kernel_refuses_rules--;
		return fail(failure, ENOMEM, "replace the rules");
	}
	kernel_replaced_rules++;
	return 0;
}

int __wrap_close(int fd)
{
	struct stream *stream = stream_of(fd);

	if (stream == NULL)
		return __real_close(fd);
	if (!stream->reset && !stream->refused && (stream->linger || stream->in_size > 0)) {
		stream->got_size = acknowledged(stream);
		stream->got_reset = true;
	} else if (!stream->reset) {
		stream->got_fin = true;
	}
	stream->closed = true;
	if (!stream->shared)
		release(stream);
	return 0;
}

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size)
{
	(void)size;
	stream_of(fd)->here = endpoint_from_socket((const void *)address);
	return 0;
}

int __wrap_listen(int fd, int backlog)
{
	(void)backlog;
	stream_of(fd)->listening = true;
	return 0;
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t size)
{
	struct stream *stream = stream_of(fd);

	(void)size;
	stream->there = endpoint_from_socket((const void *)address);
	switch (answer_of(stream->there.address)) {
	case ANSWERS:
		stream->edge |= EPOLLOUT;
		break;
	case REFUSES:
		stream->refused = true;
		stream->error = ECONNREFUSED;
		stream->edge |= EPOLLOUT | EPOLLERR | EPOLLHUP;
		break;
	case SILENT:
		stream->connecting = true;
		break;
	}
	return fail_with(EINPROGRESS);
}

int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
	struct stream *listener = stream_of(fd);

	(void)flags;
	if (listener->next == NULL)
		return fail_with(EAGAIN);
	if (kernel_open() >= kernel_limit)
		return fail_with(EMFILE);
	struct stream *stream = listener->next;
	listener->next = stream->next;
	stream->next = NULL;
	stream->closed = false;
	const struct sockaddr_in client = endpoint_to_socket(stream->there);
	memcpy(address, &client, sizeof(client));
	*size = sizeof(client);
	return KERNEL_FIRST + (int)(stream - streams);
}

ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags)
{
	struct stream *stream = stream_of(fd);

	if (stream == NULL)
		return __real_send(fd, bytes, size, flags);
	if (stream->reset) {
		int error = stream->error;
		stream->error = 0;
		return fail_with(error != 0 ? error : EPIPE);
	}
	if (stream->got_fin)
		complaint = "bytes after a FIN";
	size_t most = room(stream);
	if (most == 0)
		return fail_with(EAGAIN);
	if (size > most)
		size = most;
	if (kernel_short_writes && size > 1)
		size = 1 + any((unsigned)size);
	stream->got = realloc(stream->got, stream->got_size + size);
	memcpy(stream->got + stream->got_size, bytes, size);
	stream->got_size += size;
	return (ssize_t)size;
}

/* All there is: a read that is shorter than its buffer has emptied the socket. */
ssize_t __wrap_recv(int fd, void *bytes, size_t size, int flags)
{
	struct stream *stream = stream_of(fd);

	if (stream == NULL)
		return __real_recv(fd, bytes, size, flags);
	if (stream->in_size > 0) {
		if (size > stream->in_size)
			size = stream->in_size;
		memcpy(bytes, stream->in, size);
		if (flags & MSG_PEEK)
			return (ssize_t)size;
		stream->in_size -= size;
		memmove(stream->in, stream->in + size, stream->in_size);
		return (ssize_t)size;
	}
	if (stream->error != 0) {
		int error = stream->error;
		stream->error = 0;
		return fail_with(error);
	}
	return stream->in_fin || stream->reset ? 0 : fail_with(EAGAIN);
}

int __wrap_shutdown(int fd, int how)
{
	struct stream *stream = stream_of(fd);

	if (how != SHUT_WR)
		complaint = "a shutdown that is not of the writing side";
	if (stream->reset)
		return fail_with(ENOTCONN);
	stream->got_fin = true;
	return 0;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	struct stream *stream = stream_of(fd);

	(void)size;
	if (level == SOL_SOCKET && name == SO_LINGER)
		stream->linger = ((const struct linger *)value)->l_onoff != 0;
	if (level == IPPROTO_TCP && name == TCP_KEEPIDLE)
		stream->keep_idle = *(const int *)value;
	if (level == IPPROTO_TCP && name == TCP_KEEPINTVL)
		stream->keep_interval = *(const int *)value;
	if (level == IPPROTO_TCP && name == TCP_KEEPCNT)
		stream->keep_count = *(const int *)value;
	return 0;
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
	struct stream *stream = stream_of(fd);

	(void)size;
	if (level == IPPROTO_IP && name == SO_ORIGINAL_DST) {
		const struct sockaddr_in original = endpoint_to_socket(stream->original);
		memcpy(value, &original, sizeof(original));
	} else if (level == SOL_SOCKET && name == SO_ERROR) {
		*(int *)value = stream->error;
		stream->error = 0;
	}
	return 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	struct stream *stream = stream_of(fd);
	va_list arguments;

	va_start(arguments, request);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	if (stream == NULL)
		return __real_ioctl(fd, request, argument);
	if (request != TIOCOUTQ)
		complaint = "an ioctl that is not TIOCOUTQ";
	*(int *)argument = stream->reset ? 0 : (int)(stream->got_size - acknowledged(stream));
	return 0;
}

int __wrap_epoll_create1(int flags)
{
	return __real_epoll_create1(flags);
}

int __wrap_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
	struct stream *stream = stream_of(fd);

	if (stream == NULL)
		return __real_epoll_ctl(epoll, operation, fd, event);
	kernel_epoll_calls++;
	if (operation == EPOLL_CTL_DEL) {
		stream->watched = false;
		return 0;
	}
	stream->watched = true;
	stream->mask = event->events;
	stream->data = event->data.ptr;
	stream->edge |= readiness(stream);
	return 0;
}

static uint32_t due(struct stream *stream)
{
	uint32_t events = readiness(stream) & (stream->mask | EPOLLERR | EPOLLHUP);

	if (!stream->watched || (stream->mask & EPOLLET && stream->edge == 0))
		return 0;
	stream->edge = 0;
	return events;
}

/* What is ready in an order that differs from time to time; where nothing is, time goes by. */
int __wrap_epoll_wait(int epoll, struct epoll_event *events, int size, int timeout)
{
	int count = 0;

	(void)epoll;
	for (size_t i = 0, first = any(KERNEL_STREAMS); i < stream_count && count < size; i++) {
		struct stream *stream = &streams[(first + i) % stream_count];
		uint32_t ready = stream->used ? due(stream) : 0;
		if (ready == 0)
			continue;
		if (stream->closed) {
			complaint = "an event for a descriptor that is closed";
			continue;
		}
		events[count].events = ready;
		events[count++].data.ptr = stream->data;
	}
	if (count > 0 || timeout == 0)
		return count;
	if (timeout < 0 || now + timeout > until) {
		now = until;
		loop_stop(running);
	} else {
		now += timeout;
	}
	return 0;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
	if (clock != CLOCK_MONOTONIC)
		return __real_clock_gettime(clock, time);
	*time = (struct timespec){.tv_sec = now / 1000, .tv_nsec = now % 1000 * 1000000};
	return 0;
}
