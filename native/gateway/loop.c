#include "gateway/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define BATCH 256

static int64_t monotonic_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int loop_init(struct loop *loop)
{
	*loop = (struct loop){.epoll = epoll_create1(EPOLL_CLOEXEC), .now = monotonic_ms()};
	list_init(&loop->queues);
	list_init(&loop->again);
	return loop->epoll < 0 ? -errno : 0;
}

void loop_stop(struct loop *loop)
{
	loop->stopping = true;
}

void source_init(struct source *source, void (*ready)(struct source *, uint32_t))
{
	*source = (struct source){.fd = -1, .ready = ready};
	list_init(&source->again);
}

int loop_watch(struct loop *loop, struct source *source, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	source->fd = fd;
	return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int loop_change(struct loop *loop, struct source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	return epoll_ctl(loop->epoll, EPOLL_CTL_MOD, source->fd, &event) < 0 ? -errno : 0;
}

void loop_close(struct loop *loop, struct source *source)
{
	if (source->fd < 0)
		return;
	list_remove(&source->again);
	/* To close it is not enough: init's parent, which made the sockets of the runner's namespace,
	 * may not have closed its own descriptor yet, and epoll would go on telling of it. */
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, source->fd, NULL);
	close(source->fd);
	source->fd = -1;
}

void loop_again(struct loop *loop, struct source *source)
{
	list_remove(&source->again);
	list_append(&loop->again, &source->again);
}

void loop_free(struct loop *loop, struct garbage *garbage)
{
	garbage->next = loop->garbage;
	loop->garbage = garbage;
}

void deadline_queue_init(struct loop *loop, struct deadline_queue *queue, int64_t delay)
{
	list_init(&queue->deadlines);
	queue->delay = delay;
	list_append(&loop->queues, &queue->node);
}

void deadline_queue_end(struct deadline_queue *queue)
{
	list_remove(&queue->node);
}

void deadline_init(struct deadline *deadline, void (*expired)(struct deadline *))
{
	*deadline = (struct deadline){.expired = expired};
	list_init(&deadline->node);
}

void deadline_set(struct loop *loop, struct deadline_queue *queue, struct deadline *deadline)
{
	list_remove(&deadline->node);
	deadline->at = loop->now + queue->delay;
	list_append(&queue->deadlines, &deadline->node);
}

void deadline_clear(struct deadline *deadline)
{
	list_remove(&deadline->node);
}

static struct deadline *first_of(struct list *node)
{
	struct deadline_queue *queue = list_object(node, struct deadline_queue, node);

	if (list_empty(&queue->deadlines))
		return NULL;
	return list_object(queue->deadlines.next, struct deadline, node);
}

/* Milliseconds until there is something to do without an event; -1: never. */
static int patience(struct loop *loop)
{
	int64_t wait = INT64_MAX;

	if (!list_empty(&loop->again))
		return 0;
	for (struct list *node = loop->queues.next; node != &loop->queues; node = node->next) {
		const struct deadline *first = first_of(node);
		if (first != NULL && first->at - loop->now < wait)
			wait = first->at - loop->now;
	}
	if (wait == INT64_MAX)
		return -1;
	return wait > 0 ? (int)wait : 0;
}

static void expire(struct loop *loop)
{
	for (struct list *node = loop->queues.next; node != &loop->queues; node = node->next) {
		struct deadline *first;
		while ((first = first_of(node)) != NULL && first->at <= loop->now) {
			list_remove(&first->node);
			first->expired(first);
		}
	}
}

/* Only those that were put off before this batch: whoever asks again waits for the next. */
static void run_again(struct loop *loop)
{
	struct list due;

	list_init(&due);
	while (!list_empty(&loop->again)) {
		struct list *node = loop->again.next;
		list_remove(node);
		list_append(&due, node);
	}
	while (!list_empty(&due)) {
		struct source *source = list_object(due.next, struct source, again);
		list_remove(&source->again);
		source->ready(source, 0);
	}
}

static void collect(struct loop *loop)
{
	while (loop->garbage != NULL) {
		struct garbage *next = loop->garbage->next;
		free(loop->garbage);
		loop->garbage = next;
	}
}

int loop_run(struct loop *loop)
{
	struct epoll_event events[BATCH];

	while (!loop->stopping) {
		int count = epoll_wait(loop->epoll, events, BATCH, patience(loop));
		if (count < 0 && errno != EINTR)
			return -errno;
		loop->now = monotonic_ms();
		for (int i = 0; i < count; i++) {
			struct source *source = events[i].data.ptr;
			if (source->fd >= 0)
				source->ready(source, events[i].events);
		}
		run_again(loop);
		expire(loop);
		collect(loop);
	}
	return 0;
}

void loop_end(struct loop *loop)
{
	collect(loop);
	close(loop->epoll);
}
