#include "gateway/tcp_relay.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/log.h"
#include "gateway/policy.h"
#include "gateway/socket.h"
#include "gateway/tcp_connection.h"

/* As in linux/netfilter_ipv4.h, which cannot be included beside netinet/in.h. */
#define SO_ORIGINAL_DST 80

/* Milliseconds. Endpoints are a bridge away: one that does not answer is not there, and another
 * may be. The last one, and the outside, have as long as Linux's own SYN retries take. */
#define ENDPOINT_TIMEOUT 3000
#define LAST_TIMEOUT 127000

/* Between two looks at whether a peer has what was written to it, of which no event tells. */
#define WIND_UP_DELAY 10

/* Without descriptors, accepting is tried again after this long. */
#define PAUSE 1000

/* Of all connections, the part that only the published ports may use, such as the API server's. */
#define RESERVE_PART 16

/* Most connections are over by then, and are not worth tcp_tune(). */
#define TUNE_DELAY 10000

#define EVENTS (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

enum admits {
	ADMITS_ALL,
	ADMITS_PUBLISHED,
	ADMITS_NONE,
};

struct tcp_relay {
	struct list connections;
	struct list listeners;
	struct deadline_queue endpoint_deadlines;
	struct deadline_queue last_deadlines;
	struct deadline_queue tune_deadlines;
	struct deadline_queue wind_up_deadlines;
	size_t limit;
	enum way preferred; /* to the outside: what worked last, where both may */
	enum admits admits;
	struct shares shares;
	struct deadline_queue pauses;
	struct deadline resume;
	struct gateway *gateway;
};

static void try_next(struct connection *connection);

static uint32_t events_of(const struct tcp_relay *tcp, const struct tcp_listener *listener)
{
	bool admits = tcp->admits == ADMITS_ALL ||
	              (tcp->admits == ADMITS_PUBLISHED && listener->published);

	return admits ? EPOLLIN : 0;
}

static void admit(struct gateway *gateway, enum admits admits)
{
	static const char *const texts[] = {
	    [ADMITS_ALL] = "accepting all again",
	    [ADMITS_PUBLISHED] = "accepting no more but at the published ports",
	    [ADMITS_NONE] = "accepting no more",
	};
	struct tcp_relay *tcp = gateway->tcp;

	if (admits == ADMITS_NONE)
		deadline_set(&gateway->loop, &tcp->pauses, &tcp->resume);
	if (tcp->admits == admits)
		return;
	tcp->admits = admits;
	for (struct list *node = tcp->listeners.next; node != &tcp->listeners; node = node->next) {
		struct tcp_listener *listener = list_object(node, struct tcp_listener, node);
		loop_change(&gateway->loop, &listener->source, events_of(tcp, listener));
	}
	log_line("%zu TCP connections: %s", (size_t)gateway->statistics.tcp_active, texts[admits]);
}

/* Who is admitted with so many connections. Once it is not all, a twentieth has to end before it is
 * again: else every end and every beginning would change it. */
static enum admits admits_with(const struct tcp_relay *tcp, size_t active)
{
	size_t others = tcp->limit - tcp->limit / RESERVE_PART;

	if (active >= tcp->limit)
		return ADMITS_NONE;
	if (active >= others || (tcp->admits != ADMITS_ALL && active >= others - others / 20))
		return ADMITS_PUBLISHED;
	return ADMITS_ALL;
}

static void resume_expired(struct deadline *deadline)
{
	struct tcp_relay *tcp = list_object(deadline, struct tcp_relay, resume);
	struct gateway *gateway = tcp->gateway;

	admit(gateway, admits_with(tcp, gateway->statistics.tcp_active));
}

static void leave_frontend(struct connection *connection)
{
	if (connection->frontend != NULL)
		frontend_release(connection->frontend);
	connection->frontend = NULL;
}

void tcp_finish(struct connection *connection, bool reset)
{
	struct gateway *gateway = connection->gateway;

	deadline_clear(&connection->deadline);
	leave_frontend(connection);
	tcp_end_close(gateway, &connection->client, reset);
	tcp_end_close(gateway, &connection->server, reset);
	list_remove(&connection->node);
	loop_free(&gateway->loop, &connection->garbage);
	shares_leave(&gateway->tcp->shares, connection->share, &connection->member);
	gateway->statistics.tcp_active--;
	if (gateway->tcp->admits == ADMITS_PUBLISHED)
		admit(gateway, admits_with(gateway->tcp, gateway->statistics.tcp_active));
}

static void refuse(struct connection *connection)
{
	connection->gateway->statistics.tcp_refused++;
	tcp_finish(connection, true);
}

/* What worked is tried first from now on: to wait for the other each time takes seconds. */
static void prefer(struct gateway *gateway, const struct connection *connection)
{
	if (connection->frontend != NULL ||
	    !proxy_serves(&gateway->options, connection->destination.address))
		return;
	gateway->statistics.tcp_proxied += connection->way == WAY_PROXY;
	if (gateway->tcp->preferred != connection->way)
		log_line("Outside: %s is tried first from now on",
		         connection->way == WAY_PROXY ? "the runner's proxy" : "the direct way");
	gateway->tcp->preferred = connection->way;
}

static void established(struct connection *connection)
{
	struct gateway *gateway = connection->gateway;

	connection->established = true;
	prefer(gateway, connection);
	deadline_set(&gateway->loop, &gateway->tcp->tune_deadlines, &connection->deadline);
	if (connection->frontend != NULL)
		frontend_remember(connection->frontend, connection->client_address,
		                  connection->destination, gateway->loop.now);
	leave_frontend(connection);
	tcp_pump(connection);
}

static void client_ready(struct source *source, uint32_t events)
{
	struct end *end = list_object(source, struct end, source);
	struct connection *connection = end->connection;

	tcp_note(end, events);
	if (connection->established)
		tcp_pump(connection);
	else if (events & (EPOLLERR | EPOLLHUP))
		tcp_finish(connection, true);
}

static int ask_proxy(struct connection *connection)
{
	const struct options *options = &connection->gateway->options;
	char request[PROXY_REQUEST_MAX];
	ssize_t size = proxy_request(options, connection->destination, request);

	if (size < 0)
		return (int)size;
	/* Nothing waits in the socket yet: all of it fits. */
	if (send(connection->server.source.fd, request, (size_t)size, MSG_NOSIGNAL) != size)
		return -EIO;
	connection->asked = true;
	return 0;
}

/* Returns the size of the proxy's answer; 0: it is to come; or -errno. */
static ssize_t hear_proxy(const struct connection *connection)
{
	char reply[PROXY_REPLY_MAX];
	int fd = connection->server.source.fd;
	ssize_t size = recv(fd, reply, sizeof(reply), MSG_PEEK);

	if (size < 0)
		return errno == EAGAIN ? 0 : -errno;
	ssize_t length = size == 0 ? -ECONNRESET : proxy_reply(reply, (size_t)size);
	/* What is behind it is the server's. */
	return length > 0 ? recv(fd, reply, (size_t)length, 0) : length;
}

/* The proxy is reached, and the server once it says so. */
static void tunnel(struct connection *connection)
{
	ssize_t status = 0;

	if (!connection->asked && connection->server.writable)
		status = ask_proxy(connection);
	if (status == 0 && connection->asked)
		status = hear_proxy(connection);
	if (status < 0)
		try_next(connection);
	else if (status > 0)
		established(connection);
}

static void server_ready(struct source *source, uint32_t events)
{
	struct end *end = list_object(source, struct end, source);
	struct connection *connection = end->connection;

	tcp_note(end, events);
	if (connection->established)
		tcp_pump(connection);
	else if (events & (EPOLLERR | EPOLLHUP))
		try_next(connection);
	else if (connection->way == WAY_PROXY)
		tunnel(connection);
	else if (events & EPOLLOUT)
		established(connection);
}

static void deadline_expired(struct deadline *deadline)
{
	struct connection *connection = list_object(deadline, struct connection, deadline);

	if (!connection->established)
		try_next(connection);
	else if (connection->client.failed || connection->server.failed)
		tcp_pump(connection);
	else
		tcp_tune(connection);
}

void tcp_pump_later(struct connection *connection)
{
	struct gateway *gateway = connection->gateway;

	deadline_set(&gateway->loop, &gateway->tcp->wind_up_deadlines, &connection->deadline);
}

/* The next endpoint to try, if one is left. */
static bool next_endpoint(struct connection *connection)
{
	struct frontend *frontend = connection->frontend;
	struct gateway *gateway = connection->gateway;
	size_t attempt = connection->attempts++;

	if (frontend == NULL) {
		connection->way = proxy_way(&gateway->options, gateway->tcp->preferred, attempt,
		                            connection->destination.address);
		return connection->way != WAY_NONE;
	}
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

/* Whether an endpoint is left to pass on to, should this one not answer. */
static bool another_is_left(const struct connection *connection)
{
	const struct frontend *frontend = connection->frontend;

	if (frontend == NULL)
		return connection->way == WAY_DIRECT && connection->attempts == 1 &&
		       proxy_serves(&connection->gateway->options,
		                    connection->destination.address);
	for (size_t i = connection->attempts; i < frontend->endpoint_count; i++)
		if (policy_allows(
		        connection->gateway, PROTOCOL_TCP, connection->client_address,
		        frontend->endpoints[(connection->first + i) % frontend->endpoint_count]))
			return true;
	return false;
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

	bool resolver = connection->frontend != NULL && connection->frontend->side == SIDE_OUTSIDE;

	/* An endpoint outside may be slow. Without a frontend another is another way. */
	bool is_patient = (outside && connection->frontend != NULL) || !another_is_left(connection);

	if (!policy_allows(gateway, PROTOCOL_TCP, connection->client_address,
	                   connection->destination))
		return -EPERM;
	if (outside && !resolver &&
	    !policy_allows_outside(gateway, connection->client_address,
	                           connection->destination.address))
		return -EPERM;
	int fd = socket_open(gateway, outside, SOCK_STREAM);
	if (fd < 0) {
		log_failure(-fd, "make a socket %s", outside ? "outside" : "inside");
		return fd;
	}
	bool proxied = connection->way == WAY_PROXY;
	int status =
	    socket_connect(fd, proxied ? gateway->options.proxy : connection->destination);
	if (status < 0 && status != -EINPROGRESS) {
		close(fd);
		return status;
	}
	connection->server.readable = connection->server.writable = false;
	connection->server.hung_up = connection->asked = false;
	status = loop_watch(&gateway->loop, &connection->server.source, fd, EVENTS);
	deadline_set(&gateway->loop,
	             is_patient ? &tcp->last_deadlines : &tcp->endpoint_deadlines,
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

void tcp_relay_forget(struct gateway *gateway, uint32_t address)
{
	struct list *connections = &gateway->tcp->connections;

	for (struct list *node = connections->next, *next; node != connections; node = next) {
		struct connection *connection = list_object(node, struct connection, node);
		next = node->next;
		if (!connection->established && connection->client_address == address)
			tcp_finish(connection, true);
		else if (connection->client_address == address)
			tcp_end_is_gone(&connection->client);
		else if (connection->destination.address != address)
			continue;
		else if (connection->established)
			tcp_end_is_gone(&connection->server);
		else
			try_next(connection);
	}
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
	return address_is_unicast(destination->address) &&
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
	connection->share = shares_join(&gateway->tcp->shares, client, &connection->member);
	if (connection->share == NULL) {
		free(connection);
		reset(fd);
		return;
	}
	connection->gateway = gateway;
	connection->client_address = client;
	connection->destination = destination;
	connection->frontend = frontend;
	if (frontend != NULL) {
		frontend->references++;
		pods_used(gateway, client, frontend);
	}
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
		tcp_finish(connection, true);
}

/* Whether the client may have one more connection. */
static bool has_share(struct gateway *gateway, uint32_t client)
{
	struct tcp_relay *tcp = gateway->tcp;
	struct share *share = shares_of(&tcp->shares, client);

	if (share == NULL || share->count < shares_most(&gateway->options, client, tcp->limit))
		return true;
	if (!share->told)
		log_line("%u.%u.%u.%u has %zu TCP connections, all that one pod may have: resetting "
		         "more",
		         client >> 24, client >> 16 & 255, client >> 8 & 255, client & 255,
		         share->count);
	share->told = true;
	return false;
}

static void accept_ready(struct source *source, uint32_t events)
{
	struct tcp_listener *listener = list_object(source, struct tcp_listener, source);
	struct gateway *gateway = listener->gateway;
	struct tcp_relay *tcp = gateway->tcp;
	struct frontend *frontend = listener->frontend;
	struct sockaddr_in client;
	socklen_t size = sizeof(client);
	struct endpoint destination = {0};

	(void)events;
	enum admits admits = admits_with(tcp, gateway->statistics.tcp_active);
	if (admits > tcp->admits)
		admit(gateway, admits);
	if (events_of(tcp, listener) == 0)
		return;
	int fd = accept4(source->fd, (struct sockaddr *)&client, &size,
	                 SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			admit(gateway, ADMITS_NONE);
		return;
	}
	gateway->statistics.tcp_accepted++;
	if (!has_share(gateway, ntohl(client.sin_addr.s_addr))) {
		gateway->statistics.tcp_over_share++;
		reset(fd);
		return;
	}
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
	deadline_queue_init(&gateway->loop, &tcp->last_deadlines, LAST_TIMEOUT);
	deadline_queue_init(&gateway->loop, &tcp->tune_deadlines, TUNE_DELAY);
	deadline_queue_init(&gateway->loop, &tcp->wind_up_deadlines, WIND_UP_DELAY);
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
		tcp_finish(list_object(tcp->connections.next, struct connection, node), true);
	deadline_clear(&tcp->resume);
	deadline_queue_end(&tcp->endpoint_deadlines);
	deadline_queue_end(&tcp->last_deadlines);
	deadline_queue_end(&tcp->tune_deadlines);
	deadline_queue_end(&tcp->wind_up_deadlines);
	deadline_queue_end(&tcp->pauses);
	shares_free(&tcp->shares);
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
	    loop_watch(&gateway->loop, &listener->source, fd, events_of(gateway->tcp, listener));
	if (status < 0)
		tcp_listener_close(listener);
	return status;
}

void tcp_listener_close(struct tcp_listener *listener)
{
	loop_close(&listener->gateway->loop, &listener->source);
	list_remove(&listener->node);
}
