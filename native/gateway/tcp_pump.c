#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "gateway/tcp_connection.h"
#include "lib/analyzer.h"

#define CHUNK (256 * 1024)
/* Bytes that wait here for peers that do not read; beyond, each connection holds less of them. */
#define PENDING_MANY (64 * 1024 * 1024)
#define CHUNK_THEN (16 * 1024)
/* Reads in one turn of one direction before the other connections have theirs. */
#define TURN 4

/* Milliseconds that one end has to take what the other said before it reset the connection, and
 * what it said before it went with an orderly end: its own system believes that to be delivered. */
#define RESET_PATIENCE 2000
#define ORDERLY_PATIENCE 120000

/*
 * Seconds of silence before a peer is asked whether it is still there, between questions, and how
 * many go unanswered: a machine may vanish without a FIN. No TCP_USER_TIMEOUT, which would be the
 * same for a peer that has bytes under way to it: it counts against one that is there, answers, and
 * reads nothing for as long ("irrespective of whether the zero window probes were acknowledged",
 * pkg/tcpip/transport/tcp/snd.go; tcp_probe_timer() in Linux).
 */
#define KEEPALIVE_IDLE 60
#define KEEPALIVE_INTERVAL 15
#define KEEPALIVE_COUNT 4

static char chunk[CHUNK];
static size_t pending;

static void drop_pending(struct end *end)
{
	if (end->pending == NULL)
		return;
	pending -= end->pending_size;
	free(end->pending);
	end->pending = NULL;
}

void tcp_end_close(struct gateway *gateway, struct end *end, bool reset)
{
	const struct linger linger = {.l_onoff = 1, .l_linger = 0};

	if (end->source.fd >= 0 && reset)
		setsockopt(end->source.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	loop_close(&gateway->loop, &end->source);
	drop_pending(end);
}

static struct end *other_end(struct end *end)
{
	struct connection *connection = end->connection;

	return end == &connection->client ? &connection->server : &connection->client;
}

static void fail_end(struct end *end)
{
	struct connection *connection = end->connection;

	if (end->failed)
		return;
	end->failed = true;
	drop_pending(end);
	/* Writing may tell of it before the event does that would say there is something to read. */
	end->readable = true;
	connection->give_up = connection->gateway->loop.now +
	                      (end->ended ? ORDERLY_PATIENCE : RESET_PATIENCE);
}

/* Writes all of it, or as much as fits. Returns how much, or -errno. */
static ssize_t write_some(struct end *to, const char *bytes, size_t size)
{
	size_t written = 0;

	while (written < size) {
		ssize_t count =
		    send(to->source.fd, bytes + written, size - written, MSG_NOSIGNAL);
		if (count >= 0) {
			written += (size_t)count;
		} else if (errno == EAGAIN) {
			to->writable = false;
			break;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return (ssize_t)written;
}

static void flush(struct end *to)
{
	ssize_t written = write_some(to, to->pending + to->pending_begin,
	                             to->pending_size - to->pending_begin);

	if (written < 0) {
		fail_end(to);
		return;
	}
	to->pending_begin += (size_t)written;
	if (to->pending_begin == to->pending_size)
		drop_pending(to);
}

static void keep(struct end *to, const char *bytes, size_t size)
{
	char *copy = malloc(size);

	if (copy == NULL) {
		fail_end(to);
		fail_end(other_end(to));
		return;
	}
	memcpy(copy, bytes, size);
	to->pending = copy;
	/* By the end, until drop_pending(). */
	analyzer_is_kept(copy);
	to->pending_begin = 0;
	to->pending_size = size;
	pending += size;
}

/* Reads one chunk and passes it on. */
static void move_chunk(struct end *from, struct end *to)
{
	size_t size = pending > PENDING_MANY ? CHUNK_THEN : CHUNK;
	ssize_t count = recv(from->source.fd, chunk, size, 0);

	if (count < 0 && errno == EINTR)
		return;
	/* A short read has emptied the socket; only a FIN may be left in it, or an error. */
	if (count < (ssize_t)size && !(count > 0 && (from->hung_up || from->failed)))
		from->readable = false;
	if (count < 0 && errno != EAGAIN) {
		fail_end(from);
		from->readable = false;
	}
	/* Where an error was asked for, an end is all that reading shows of it. */
	if (count == 0 && !from->failed)
		from->ended = true;
	if (count <= 0)
		return;
	from->connection->gateway->statistics.tcp_bytes += (uint64_t)count;
	ssize_t written = write_some(to, chunk, (size_t)count);
	if (written < 0)
		fail_end(to);
	else if (written < count)
		keep(to, chunk + written, (size_t)(count - written));
}

/* Moves what can be moved in one direction. */
static void move(struct end *from, struct end *to)
{
	if (to->pending != NULL && to->writable)
		flush(to);
	for (int i = 0; i < TURN; i++) {
		if (!from->readable || !to->writable || to->pending != NULL || to->failed)
			break;
		move_chunk(from, to);
	}
	if (from->ended && to->pending == NULL && !to->shut && !to->failed) {
		to->shut = true;
		if (shutdown(to->source.fd, SHUT_WR) < 0)
			fail_end(to);
	}
	if (from->gone && to->shut)
		fail_end(from);
	if (from->readable && to->writable && to->pending == NULL && !to->failed)
		loop_again(&from->connection->gateway->loop, &from->source);
}

/* Whether the peer's system has all that was written. */
static bool is_acknowledged(const struct end *end)
{
	int queued = 0;

	return ioctl(end->source.fd, TIOCOUTQ, &queued) < 0 || queued == 0;
}

/*
 * One end has failed. What its peer said before still goes to the other, whose peer then sees a
 * reset, as it would without a relay: a server that refuses an upload may answer, close, and thereby
 * reset what it never read. An RST overtakes what waits in the socket that sends it, hence the wait.
 */
static void wind_up(struct connection *connection)
{
	struct end *failed =
	    connection->client.failed ? &connection->client : &connection->server;
	struct end *left = other_end(failed);

	if (!left->failed)
		move(failed, left);
	bool delivered = !failed->readable && left->pending == NULL;
	if (left->failed || (delivered && is_acknowledged(left)) ||
	    connection->gateway->loop.now >= connection->give_up)
		tcp_finish(connection, true);
	else
		tcp_pump_later(connection);
}

void tcp_pump(struct connection *connection)
{
	struct end *client = &connection->client;
	struct end *server = &connection->server;

	if (!client->failed && !server->failed)
		move(client, server);
	if (!client->failed && !server->failed)
		move(server, client);
	if (client->failed || server->failed)
		wind_up(connection);
	else if (client->shut && server->shut)
		tcp_finish(connection, false);
}

/* EPOLLERR and EPOLLHUP alone do not say: gVisor shows both in TIME_WAIT as well. */
static bool has_error(const struct end *end)
{
	int error = 0;
	socklen_t size = sizeof(error);

	getsockopt(end->source.fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return error != 0;
}

void tcp_note(struct end *end, uint32_t events)
{
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		end->readable = true;
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		end->writable = true;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		end->hung_up = true;
	if (events & (EPOLLHUP | EPOLLERR) && end->connection->established && has_error(end))
		fail_end(end);
}

void tcp_end_is_gone(struct end *end)
{
	/* Once it has sent its FIN, what it said is passed on first, however long that takes. */
	end->gone = true;
	if (!end->hung_up)
		fail_end(end);
	tcp_pump(end->connection);
}

void tcp_tune(const struct connection *connection)
{
	const int on = 1;
	const int idle = KEEPALIVE_IDLE;
	const int interval = KEEPALIVE_INTERVAL;
	const int count = KEEPALIVE_COUNT;
	const int fds[] = {connection->client.source.fd, connection->server.source.fd};

	for (size_t i = 0; i < 2; i++) {
		setsockopt(fds[i], SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
		setsockopt(fds[i], IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
		setsockopt(fds[i], IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
		setsockopt(fds[i], IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	}
}
