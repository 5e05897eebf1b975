#include "gateway/tcp_relay.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/log.h"
#include "gateway/policy.h"
#include "gateway/socket.h"

/* As in linux/netfilter_ipv4.h, which cannot be included beside netinet/in.h. */
#define SO_ORIGINAL_DST 80

/* Milliseconds. Endpoints are a bridge away: one that does not answer is not there, and another
 * may be. The outside has as long as Linux's own SYN retries take. */
#define ENDPOINT_TIMEOUT 3000
#define OUTSIDE_TIMEOUT 127000

/* Without descriptors, accepting is tried again when a connection ends, or after this long. */
#define PAUSE 1000

/* Most connections are over by then, and are not worth tune(). */
#define TUNE_DELAY 10000

/* Seconds of silence before a peer is asked whether it is still there: a pod's network namespace
 * may vanish without a FIN. */
#define KEEPALIVE 60

#define CHUNK (256 * 1024)
/* Reads in one turn of one direction before the other connections have theirs. */
#define TURN 4

#define EVENTS (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

/* One of the two sockets of a connection. */
struct end {
	struct source source;
	struct connection *connection;
	char *pending; /* read from the other end, not yet written here */
	size_t pending_begin;
	size_t pending_end;
	bool readable; /* a read may succeed: edge-triggered, so it is remembered */
	bool writable;
	bool hung_up; /* the peer has sent its FIN, whether or not it was read */
	bool ended;   /* the FIN was read */
	bool shut;    /* the FIN was passed on here */
};

struct connection {
	struct garbage garbage;
	struct gateway *gateway;
	struct list node; /* in tcp_relay.connections */
	struct end client;
	struct end server;
	bool established; /* to the server */
	struct deadline deadline; /* for the server to answer; then for tune() */

	/* On the way to the server. */
	struct frontend *frontend; /* NULL: straight to the destination, outside */
	struct endpoint destination;
	uint32_t client_address;
	size_t first; /* index of the endpoint that was tried first */
	size_t attempts;
};

struct tcp_relay {
	struct list connections;
	struct list listeners;
	struct deadline_queue endpoint_deadlines;
	struct deadline_queue outside_deadlines;
	struct deadline_queue tune_deadlines;
	size_t limit;
	bool paused; /* no descriptors left */
	struct deadline_queue pauses;
	struct deadline resume;
	struct gateway *gateway;
	char chunk[CHUNK];
};

static void try_next(struct connection *connection);

static void pause_listeners(struct gateway *gateway, bool paused)
{
	struct tcp_relay *tcp = gateway->tcp;

	if (tcp->paused == paused)
		return;
	tcp->paused = paused;
	for (struct list *node = tcp->listeners.next; node != &tcp->listeners; node = node->next) {
		struct tcp_listener *listener = list_object(node, struct tcp_listener, node);
		loop_change(&gateway->loop, &listener->source, paused ? 0 : EPOLLIN);
	}
	if (paused)
		deadline_set(&gateway->loop, &tcp->pauses, &tcp->resume);
	else
		deadline_clear(&tcp->resume);
	log_line(paused ? "%zu TCP connections: accepting no more until one ends"
	                : "%zu TCP connections: accepting again",
	         (size_t)gateway->statistics.tcp_active);
}

static void resume_expired(struct deadline *deadline)
{
	struct tcp_relay *tcp = list_object(deadline, struct tcp_relay, resume);

	pause_listeners(tcp->gateway, false);
}

static void close_end(struct gateway *gateway, struct end *end, bool reset)
{
	const struct linger linger = {.l_onoff = 1, .l_linger = 0};

	if (end->source.fd >= 0 && reset)
		setsockopt(end->source.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	loop_close(&gateway->loop, &end->source);
	free(end->pending);
	end->pending = NULL;
}

static void leave_frontend(struct connection *connection)
{
	if (connection->frontend != NULL)
		frontend_release(connection->frontend);
	connection->frontend = NULL;
}

/* `reset`: the peers are to see an RST, not an end that looks orderly. */
static void finish(struct connection *connection, bool reset)
{
	struct gateway *gateway = connection->gateway;

	deadline_clear(&connection->deadline);
	leave_frontend(connection);
	close_end(gateway, &connection->client, reset);
	close_end(gateway, &connection->server, reset);
	list_remove(&connection->node);
	loop_free(&gateway->loop, &connection->garbage);
	gateway->statistics.tcp_active--;
	pause_listeners(gateway, false);
}

static void refuse(struct connection *connection)
{
	connection->gateway->statistics.tcp_refused++;
	finish(connection, true);
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

static int flush(struct end *to)
{
	ssize_t written = write_some(to, to->pending + to->pending_begin,
	                             to->pending_end - to->pending_begin);

	if (written < 0)
		return (int)written;
	to->pending_begin += (size_t)written;
	if (to->pending_begin == to->pending_end) {
		free(to->pending);
		to->pending = NULL;
	}
	return 0;
}

static int keep(struct end *to, const char *bytes, size_t size)
{
	to->pending = malloc(size);
	if (to->pending == NULL)
		return -ENOMEM;
	memcpy(to->pending, bytes, size);
	to->pending_begin = 0;
	to->pending_end = size;
	return 0;
}

/* Reads one chunk and passes it on. Returns 0 or -errno. */
static int move_chunk(struct tcp_relay *tcp, struct statistics *statistics, struct end *from,
                      struct end *to)
{
	ssize_t count = recv(from->source.fd, tcp->chunk, sizeof(tcp->chunk), 0);

	if (count < 0 && errno == EINTR)
		return 0;
	if (count < 0 && errno != EAGAIN)
		return -errno;
	if (count == 0)
		from->ended = true;
	/* A short read has emptied the socket; only a FIN may be left in it. */
	if (count < (ssize_t)sizeof(tcp->chunk) && !(count > 0 && from->hung_up))
		from->readable = false;
	if (count <= 0)
		return 0;
	statistics->tcp_bytes += (uint64_t)count;
	ssize_t written = write_some(to, tcp->chunk, (size_t)count);
	if (written < 0)
		return (int)written;
	if (written < count)
		return keep(to, tcp->chunk + written, (size_t)(count - written));
	return 0;
}

/* Moves what can be moved in one direction. Returns 0 or -errno. */
static int move(struct connection *connection, struct end *from, struct end *to)
{
	struct gateway *gateway = connection->gateway;
	int status = 0;

	if (to->pending != NULL && to->writable)
		status = flush(to);
	for (int i = 0; status == 0 && i < TURN; i++) {
		if (!from->readable || !to->writable || to->pending != NULL)
			break;
		status = move_chunk(gateway->tcp, &gateway->statistics, from, to);
	}
	if (status < 0)
		return status;
	if (from->ended && to->pending == NULL && !to->shut) {
		to->shut = true;
		if (shutdown(to->source.fd, SHUT_WR) < 0)
			return -errno;
	}
	if (from->readable && to->writable && to->pending == NULL)
		loop_again(&gateway->loop, &from->source);
	return 0;
}

static void tune(struct connection *connection)
{
	const int on = 1;
	const int idle = KEEPALIVE;
	const int fds[] = {connection->client.source.fd, connection->server.source.fd};

	for (size_t i = 0; i < 2; i++) {
		setsockopt(fds[i], SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
		setsockopt(fds[i], IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	}
}

static void pump(struct connection *connection)
{
	struct end *client = &connection->client;
	struct end *server = &connection->server;

	if (move(connection, client, server) < 0 || move(connection, server, client) < 0) {
		finish(connection, true);
		return;
	}
	if (client->shut && server->shut)
		finish(connection, false);
}

static void note(struct end *end, uint32_t events)
{
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		end->readable = true;
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		end->writable = true;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		end->hung_up = true;
}

static void established(struct connection *connection)
{
	struct gateway *gateway = connection->gateway;

	connection->established = true;
	deadline_set(&gateway->loop, &gateway->tcp->tune_deadlines, &connection->deadline);
	if (connection->frontend != NULL)
		frontend_remember(connection->frontend, connection->client_address,
		                  connection->destination, gateway->loop.now);
	leave_frontend(connection);
	pump(connection);
}

static void client_ready(struct source *source, uint32_t events)
{
	struct end *end = list_object(source, struct end, source);
	struct connection *connection = end->connection;

	note(end, events);
	if (connection->established)
		pump(connection);
	else if (events & (EPOLLERR | EPOLLHUP))
		finish(connection, true);
}

static void server_ready(struct source *source, uint32_t events)
{
	struct end *end = list_object(source, struct end, source);
	struct connection *connection = end->connection;

	note(end, events);
	if (connection->established)
		pump(connection);
	else if (events & (EPOLLERR | EPOLLHUP))
		try_next(connection);
	else if (events & EPOLLOUT)
		established(connection);
}

static void deadline_expired(struct deadline *deadline)
{
	struct connection *connection = list_object(deadline, struct connection, deadline);

	if (connection->established)
		tune(connection);
	else
		try_next(connection);
}

/* The next endpoint to try, if one is left. */
static bool next_endpoint(struct connection *connection)
{
	struct frontend *frontend = connection->frontend;
	struct gateway *gateway = connection->gateway;
	size_t attempt = connection->attempts++;

	if (frontend == NULL)
		return attempt == 0;
	/* The endpoints may have changed since the last attempt. */
	if (attempt >= frontend->endpoint_count)
		return false;
	if (attempt == 0)
		connection->first =
		    frontend_choose(frontend, connection->client_address, gateway->loop.now);
	else
		gateway->statistics.tcp_retried++;
	connection->destination =
	    frontend->endpoints[(connection->first + attempt) % frontend->endpoint_count];
	return true;
}

static void no_delay(int fd)
{
	const int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* Begins to connect to the destination. Returns 0 or -errno. */
static int begin_connect(struct connection *connection)
{
	struct gateway *gateway = connection->gateway;
	struct tcp_relay *tcp = gateway->tcp;
	bool outside = connection->frontend == NULL ||
	               endpoint_is_outside(gateway, connection->frontend->side,
	                                   connection->destination);

	if (!policy_allows(gateway, PROTOCOL_TCP, connection->client_address,
	                   connection->destination))
		return -EPERM;
	int fd = socket_open(gateway, outside, SOCK_STREAM);
	if (fd < 0) {
		log_failure(-fd, "make a socket %s", outside ? "outside" : "inside");
		return fd;
	}
	int status = socket_connect(fd, connection->destination);
	if (status < 0 && status != -EINPROGRESS) {
		close(fd);
		return status;
	}
	connection->server.readable = connection->server.writable = false;
	connection->server.hung_up = false;
	status = loop_watch(&gateway->loop, &connection->server.source, fd, EVENTS);
	deadline_set(&gateway->loop,
	             connection->frontend == NULL ? &tcp->outside_deadlines
	                                          : &tcp->endpoint_deadlines,
	             &connection->deadline);
	no_delay(fd);
	return status;
}

/* Nothing has been sent yet: whichever endpoint answers will do. */
static void try_next(struct connection *connection)
{
	do {
		loop_close(&connection->gateway->loop, &connection->server.source);
		if (!next_endpoint(connection)) {
			refuse(connection);
			return;
		}
	} while (begin_connect(connection) < 0);
}

static void end_init(struct end *end, struct connection *connection,
                     void (*ready)(struct source *, uint32_t))
{
	end->connection = connection;
	source_init(&end->source, ready);
}

static void reset(int fd)
{
	const struct linger linger = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

/*
 * Where the client of the transparent listener wanted to go. False where that is nowhere: a
 * Service that does not exist, or the gateway's own port, called by its name.
 */
static bool find_destination(struct gateway *gateway, int fd, struct endpoint *destination,
                             struct frontend **frontend)
{
	struct sockaddr_in original;
	socklen_t size = sizeof(original);

	if (getsockopt(fd, IPPROTO_IP, SO_ORIGINAL_DST, &original, &size) < 0)
		return false;
	*destination = endpoint_from_socket(&original);
	*frontend = table_find(&gateway->table,
	                       (struct frontend_key){PROTOCOL_TCP, *destination});
	if (*frontend != NULL)
		return true;
	return destination->address >> 24 != IN_LOOPBACKNET &&
	       !network_contains(&gateway->options.service_cidr, destination->address) &&
	       !network_contains(&gateway->options.pod_cidr, destination->address);
}

static void begin(struct gateway *gateway, int fd, uint32_t client, struct frontend *frontend,
                  struct endpoint destination)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (connection == NULL) {
		reset(fd);
		return;
	}
	connection->gateway = gateway;
	connection->client_address = client;
	connection->destination = destination;
	connection->frontend = frontend;
	if (frontend != NULL)
		frontend->references++;
	end_init(&connection->client, connection, client_ready);
	end_init(&connection->server, connection, server_ready);
	deadline_init(&connection->deadline, deadline_expired);
	list_append(&gateway->tcp->connections, &connection->node);
	gateway->statistics.tcp_active++;
	connection->client.source.fd = fd;
	try_next(connection);
	if (connection->client.source.fd < 0)
		return;
	/* While the server is on its way to answer. */
	no_delay(fd);
	if (loop_watch(&gateway->loop, &connection->client.source, fd, EVENTS) < 0)
		finish(connection, true);
}

static void accept_ready(struct source *source, uint32_t events)
{
	struct tcp_listener *listener = list_object(source, struct tcp_listener, source);
	struct gateway *gateway = listener->gateway;
	struct frontend *frontend = listener->frontend;
	struct sockaddr_in client;
	socklen_t size = sizeof(client);
	struct endpoint destination = {0};

	(void)events;
	if (gateway->statistics.tcp_active >= gateway->tcp->limit)
		pause_listeners(gateway, true);
	if (gateway->tcp->paused)
		return;
	int fd = accept4(source->fd, (struct sockaddr *)&client, &size,
	                 SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			pause_listeners(gateway, true);
		return;
	}
	gateway->statistics.tcp_accepted++;
	if (frontend == NULL && !find_destination(gateway, fd, &destination, &frontend)) {
		gateway->statistics.tcp_refused++;
		reset(fd);
		return;
	}
	begin(gateway, fd, ntohl(client.sin_addr.s_addr), frontend, destination);
}

int tcp_relay_init(struct gateway *gateway, size_t limit)
{
	struct tcp_relay *tcp = calloc(1, sizeof(*tcp));

	if (tcp == NULL)
		return -ENOMEM;
	tcp->limit = limit;
	list_init(&tcp->connections);
	list_init(&tcp->listeners);
	deadline_queue_init(&gateway->loop, &tcp->endpoint_deadlines, ENDPOINT_TIMEOUT);
	deadline_queue_init(&gateway->loop, &tcp->outside_deadlines, OUTSIDE_TIMEOUT);
	deadline_queue_init(&gateway->loop, &tcp->tune_deadlines, TUNE_DELAY);
	deadline_queue_init(&gateway->loop, &tcp->pauses, PAUSE);
	deadline_init(&tcp->resume, resume_expired);
	tcp->gateway = gateway;
	gateway->tcp = tcp;
	return 0;
}

void tcp_relay_end(struct gateway *gateway)
{
	struct tcp_relay *tcp = gateway->tcp;

	while (!list_empty(&tcp->connections))
		finish(list_object(tcp->connections.next, struct connection, node), true);
	free(tcp);
	gateway->tcp = NULL;
}

void tcp_listener_init(struct gateway *gateway, struct tcp_listener *listener)
{
	*listener = (struct tcp_listener){.gateway = gateway};
	source_init(&listener->source, accept_ready);
	list_init(&listener->node);
}

int tcp_listener_open(struct tcp_listener *listener, bool outside, struct endpoint address,
                      struct frontend *frontend)
{
	struct gateway *gateway = listener->gateway;
	int fd = socket_serve(gateway, outside, SOCK_STREAM, address);

	if (fd < 0)
		return fd;
	listener->frontend = frontend;
	list_append(&gateway->tcp->listeners, &listener->node);
	int status =
	    loop_watch(&gateway->loop, &listener->source, fd, gateway->tcp->paused ? 0 : EPOLLIN);
	if (status < 0)
		tcp_listener_close(listener);
	return status;
}

void tcp_listener_close(struct tcp_listener *listener)
{
	loop_close(&listener->gateway->loop, &listener->source);
	list_remove(&listener->node);
}
