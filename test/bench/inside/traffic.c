/*
 * Network traffic to measure, and the server it is measured against.
 *
 *   traffic serve PORT                       one thread: swallows what comes, echoes a lone 'E'
 *   traffic stream ADDRESS PORT SECONDS      one connection, as much as goes: MB per second
 *   traffic connect ADDRESS PORT COUNT       one connection after the other, a byte to and fro:
 *                                            the median ms of one
 *   traffic connections ADDRESS PORT SECONDS the same from 16 threads: connections per second
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BLOCK (128 * 1024)
#define THREADS 16

static char block[BLOCK];

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "Failed to %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct sockaddr_in address_of(const char *address, const char *port)
{
	struct sockaddr_in result = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};

	if (inet_pton(AF_INET, address, &result.sin_addr) != 1) {
		fprintf(stderr, "Bad address %s\n", address);
		exit(2);
	}
	return result;
}

static int dial(const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		fail("make a socket");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(fd, (const struct sockaddr *)address, sizeof *address) != 0)
		fail("connect");
	return fd;
}

/* Connects, sends a byte, gets it back: a client's first answer. */
static void round_trip(const struct sockaddr_in *address)
{
	char byte = 'E';
	int fd = dial(address);

	if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
		fail("get a byte back");
	close(fd);
}

static void answer(int fd)
{
	ssize_t length = read(fd, block, sizeof block);

	if (length < 0 && errno == EINTR)
		return;
	if (length <= 0)
		close(fd);
	else if (length == 1 && block[0] == 'E' && write(fd, "E", 1) != 1)
		close(fd);
}

static void serve(const char *port)
{
	struct sockaddr_in address = address_of("0.0.0.0", port);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[64];

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
	    listen(listener, 1024) != 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0)
		fail("listen");
	for (;;) {
		int count = epoll_wait(epoll, events, 64, -1);

		for (int i = 0; i < count; i++) {
			if (events[i].data.fd != listener) {
				answer(events[i].data.fd);
				continue;
			}
			event.data.fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
			if (event.data.fd >= 0)
				epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event);
		}
	}
}

static double stream(const struct sockaddr_in *address, double seconds)
{
	int fd = dial(address);
	double begin = now(), bytes = 0;

	while (now() - begin < seconds) {
		ssize_t length = write(fd, block, sizeof block);

		if (length < 0)
			fail("send");
		bytes += (double)length;
	}
	/* What is on its way counts only once it has arrived. */
	shutdown(fd, SHUT_WR);
	if (read(fd, block, 1) != 0)
		fail("see the end");
	return bytes / 1e6 / (now() - begin);
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double connect_median(const struct sockaddr_in *address, size_t count)
{
	double *times = calloc(count, sizeof *times), median;

	if (times == NULL || count == 0)
		fail("hold the times");
	for (size_t i = 0; i < count; i++) {
		double begin = now();

		round_trip(address);
		times[i] = (now() - begin) * 1e3;
	}
	qsort(times, count, sizeof *times, compare);
	median = times[count / 2];
	free(times);
	return median;
}

struct worker {
	pthread_t thread;
	const struct sockaddr_in *address;
	double until;
	size_t done;
};

static void *work(void *argument)
{
	struct worker *worker = argument;

	for (; now() < worker->until; worker->done++)
		round_trip(worker->address);
	return NULL;
}

static double connections_per_second(const struct sockaddr_in *address, double seconds)
{
	struct worker workers[THREADS];
	double begin = now();
	size_t done = 0;

	for (size_t i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.address = address, .until = begin + seconds};
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
			fail("start a thread");
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		done += workers[i].done;
	}
	return (double)done / (now() - begin);
}

int main(int count, char **arguments)
{
	struct sockaddr_in address;

	memset(block, 'D', sizeof block);
	if (count == 3 && strcmp(arguments[1], "serve") == 0)
		serve(arguments[2]);
	if (count != 5) {
		fputs("usage: traffic serve PORT | stream|connect|connections ADDRESS PORT NUMBER\n", stderr);
		return 2;
	}
	address = address_of(arguments[2], arguments[3]);
	if (strcmp(arguments[1], "stream") == 0)
		printf("%.3f\n", stream(&address, atof(arguments[4])));
	else if (strcmp(arguments[1], "connect") == 0)
		printf("%.4f\n", connect_median(&address, (size_t)atol(arguments[4])));
	else
		printf("%.1f\n", connections_per_second(&address, atof(arguments[4])));
	return 0;
}
