/*
 * The event loop: file descriptors, deadlines, and work that was put off. Everything in the
 * gateway happens in one of its callbacks, on one thread.
 */
#ifndef GATEWAY_LOOP_H
#define GATEWAY_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/list.h"

struct loop;

/** A file descriptor that is waited for. Lives inside the object it belongs to. */
struct source {
	int fd; /**< -1: none */
	void (*ready)(struct source *source, uint32_t events);
	struct list again; /**< linked while loop_again() holds */
};

/**
 * A moment to act at. Those of one queue all lie equally far ahead when they are set, so that
 * appending keeps the queue in order and setting, moving and clearing cost the same for thousands.
 */
struct deadline {
	struct list node;
	int64_t at; /**< milliseconds */
	void (*expired)(struct deadline *deadline);
};

struct deadline_queue {
	struct list deadlines;
	struct list node; /**< in loop.queues */
	int64_t delay;    /**< milliseconds */
};

/** Something to be freed when no event of the present batch can point to it any more. */
struct garbage {
	struct garbage *next;
};

struct loop {
	int epoll;
	bool stopping;
	int64_t now; /**< milliseconds of CLOCK_MONOTONIC when the present batch began */
	struct list queues;
	struct list again;
	struct garbage *garbage;
};

/** Returns 0 or -errno. */
int loop_init(struct loop *loop);

/** Runs until loop_stop(). Returns 0 or -errno. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/** After loop_run(): frees what still waited to be freed. */
void loop_end(struct loop *loop);

void source_init(struct source *source, void (*ready)(struct source *, uint32_t));

/** Waits for the events (EPOLL*) on the fd, which the source owns from now on. 0 or -errno. */
int loop_watch(struct loop *loop, struct source *source, int fd, uint32_t events);

/** Waits for other events. Returns 0 or -errno. */
int loop_change(struct loop *loop, struct source *source, uint32_t events);

/** Closes the fd; the source's callback is not called any more. No-op where there is none. */
void loop_close(struct loop *loop, struct source *source);

/** Calls the source again, with no events, after the others have had their turn. */
void loop_again(struct loop *loop, struct source *source);

/** Frees an object whose first member is a struct garbage, after the present batch. */
void loop_free(struct loop *loop, struct garbage *garbage);

void deadline_queue_init(struct loop *loop, struct deadline_queue *queue, int64_t delay);
/** Nothing of it may be set any more. */
void deadline_queue_end(struct deadline_queue *queue);
void deadline_init(struct deadline *deadline, void (*expired)(struct deadline *));

/** Sets it, or moves it, to `delay` from now. */
void deadline_set(struct loop *loop, struct deadline_queue *queue, struct deadline *deadline);
void deadline_clear(struct deadline *deadline);

#endif
