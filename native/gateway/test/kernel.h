/*
 * A kernel for the relay to run in: TCP sockets, epoll and a clock, in this process, deterministic.
 * The Makefile leads the calls of programs named relay_* here (`ld --wrap`). Descriptors below
 * KERNEL_FIRST, and every call with one of those, are the real kernel's.
 */
#ifndef GATEWAY_TEST_KERNEL_H
#define GATEWAY_TEST_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/endpoint.h"
#include "gateway/loop.h"

#define KERNEL_FIRST 1000
#define KERNEL_STREAMS 512

/** What is there of a peer that the gateway connects to. */
enum answer {
	ANSWERS,
	REFUSES,
	SILENT,
};

/** The far end of one of the gateway's sockets, for the test to speak and listen with. */
struct stream {
	bool used, listening, connecting, refused;
	bool shared; /**< somebody else has a descriptor of it: it outlives its close() */
	bool closed; /**< the gateway has closed its descriptor */
	struct endpoint here, there, original;
	struct stream *next; /**< not yet accepted: of a listener the first, of others who is behind */

	unsigned char *in; /**< from the peer, not yet read by the gateway */
	size_t in_size;
	bool in_fin;
	unsigned char *got; /**< by the peer's kernel, and still in the gateway's */
	size_t got_size;
	size_t taken;  /**< of those, by the peer itself */
	size_t window; /**< bytes that the two kernels hold between them */
	bool got_fin, got_reset;

	int error; /**< SO_ERROR */
	bool reset;
	bool linger;
	int keep_idle, keep_interval, keep_count;

	bool watched;
	uint32_t mask, edge;
	void *data;
};

/** Begins anew: no sockets; the clock stands where it stood. `seed` for what is random. */
void kernel_begin(unsigned seed);
void kernel_end(void);
/** The order of what is ready changes. */
void kernel_begin_again(unsigned seed);

/** How the peer at an address answers; ANSWERS unless something was said. */
void kernel_answer(uint32_t address, enum answer answer);

/** Lets the loop run for so many milliseconds of the kernel's clock. */
void kernel_run(struct loop *loop, int64_t milliseconds);

/** A client connects to whatever listens on the port; NULL where nothing does. */
struct stream *kernel_connect(uint16_t port, struct endpoint client, struct endpoint original);

/** The newest socket that the gateway has connected, or begun to, to the address; or NULL. */
struct stream *kernel_connected(uint32_t address);
/** How many such sockets there were. */
size_t kernel_attempts(uint32_t address);

void peer_send(struct stream *stream, const void *bytes, size_t size);
/** Takes what has come, at most so much. */
size_t peer_take(struct stream *stream, size_t most);
/** How much the two kernels hold between them from now on. */
void peer_window(struct stream *stream, size_t window);
void peer_fin(struct stream *stream);
void peer_reset(struct stream *stream);

/** Descriptors that the gateway has open. */
size_t kernel_open(void);
/** What went wrong so far, such as an event for what was closed; or NULL. */
const char *kernel_complaint(void);
/** Gives up the other descriptor of a shared socket. */
void kernel_unshare(struct stream *stream);
/** Sockets made from now on are shared. */
extern bool kernel_share;
/** Room for descriptors; EMFILE beyond. */
extern size_t kernel_limit;
/** Whether send() takes less than there is room for, at random. */
extern bool kernel_short_writes;
/** How often it refuses to replace a table of rules, and how often it did replace one. */
extern unsigned kernel_refuses_rules, kernel_replaced_rules;
/** How often epoll_ctl was called. */
extern size_t kernel_epoll_calls;

#endif
