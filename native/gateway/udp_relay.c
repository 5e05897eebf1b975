#include "gateway/udp_relay.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/log.h"
#include "gateway/policy.h"
#include "gateway/socket.h"

/* Datagrams of one socket before the others have their turn. */
#define TURN 32

#define DATAGRAM_MAX 65535

struct udp_flow {
	struct garbage garbage;
	struct source source; /* connected to the endpoint */
	struct udp_listener *listener;
	struct sockaddr_in client;
	struct endpoint endpoint;
	struct deadline deadline;
	bool answered;
	bool conversation; /* the client went on after an answer */
};

struct udp_relay {
	struct deadline_queue questions;
	struct deadline_queue conversations;
	size_t limit;
	char datagram[DATAGRAM_MAX];
};

static uint64_t client_key(const struct sockaddr_in *client)
{
	return (uint64_t)ntohl(client->sin_addr.s_addr) << 16 | ntohs(client->sin_port);
}

static void flow_end(struct udp_flow *flow)
{
	struct gateway *gateway = flow->listener->gateway;

	map_remove(&flow->listener->flows, client_key(&flow->client));
	deadline_clear(&flow->deadline);
	loop_close(&gateway->loop, &flow->source);
	loop_free(&gateway->loop, &flow->garbage);
	gateway->statistics.udp_active--;
}

static void flow_expired(struct deadline *deadline)
{
	flow_end(list_object(deadline, struct udp_flow, deadline));
}

static void flow_alive(struct udp_flow *flow)
{
	struct gateway *gateway = flow->listener->gateway;
	struct udp_relay *udp = gateway->udp;

	deadline_set(&gateway->loop, flow->conversation ? &udp->conversations : &udp->questions,
	             &flow->deadline);
}

/* From the endpoint back to the client. */
static void flow_ready(struct source *source, uint32_t events)
{
	struct udp_flow *flow = list_object(source, struct udp_flow, source);
	struct gateway *gateway = flow->listener->gateway;
	char *datagram = gateway->udp->datagram;

	(void)events;
	for (int i = 0; i < TURN; i++) {
		ssize_t size = recv(source->fd, datagram, DATAGRAM_MAX, 0);
		if (size < 0 && errno == EAGAIN)
			break;
		if (size < 0) {
			/* ECONNREFUSED: nobody is there any more; the client's next datagram
			 * goes to another endpoint. */
			flow_end(flow);
			return;
		}
		if (socket_answer(gateway, flow->listener->source.fd, datagram, (size_t)size,
		                  &flow->client) < 0)
			gateway->statistics.udp_lost++;
		gateway->statistics.udp_datagrams++;
		flow->answered = true;
	}
	flow_alive(flow);
}

/* The flow that was silent longest makes room for a new one. */
static void make_room(struct udp_relay *udp)
{
	struct list *oldest = list_empty(&udp->questions.deadlines)
	                          ? udp->conversations.deadlines.next
	                          : udp->questions.deadlines.next;

	flow_end(list_object(list_object(oldest, struct deadline, node), struct udp_flow, deadline));
}

static int flow_connect(struct udp_flow *flow)
{
	struct gateway *gateway = flow->listener->gateway;
	bool outside =
	    endpoint_is_outside(gateway, flow->listener->frontend->side, flow->endpoint);
	int fd = socket_open(gateway, outside, SOCK_DGRAM);

	if (fd < 0)
		return fd;
	int status = socket_connect(fd, flow->endpoint);
	if (status < 0) {
		close(fd);
		return status;
	}
	return loop_watch(&gateway->loop, &flow->source, fd, EPOLLIN);
}

/* The endpoint whose turn it is, or the next one that the client may reach. */
static bool choose(const struct gateway *gateway, struct frontend *frontend, uint32_t client,
                   struct endpoint *out)
{
	size_t first = frontend_choose(frontend, client, gateway->loop.now);

	for (size_t i = 0; i < frontend->endpoint_count; i++) {
		*out = frontend->endpoints[(first + i) % frontend->endpoint_count];
		if (policy_allows(gateway, PROTOCOL_UDP, client, *out))
			return true;
	}
	return false;
}

static struct udp_flow *flow_begin(struct udp_listener *listener, const struct sockaddr_in *client)
{
	struct gateway *gateway = listener->gateway;
	struct frontend *frontend = listener->frontend;
	uint32_t address = ntohl(client->sin_addr.s_addr);
	struct endpoint endpoint;

	if (!choose(gateway, frontend, address, &endpoint))
		return NULL;
	if (gateway->statistics.udp_active >= gateway->udp->limit)
		make_room(gateway->udp);
	struct udp_flow *flow = calloc(1, sizeof(*flow));
	if (flow == NULL)
		return NULL;
	flow->listener = listener;
	flow->client = *client;
	flow->endpoint = endpoint;
	source_init(&flow->source, flow_ready);
	deadline_init(&flow->deadline, flow_expired);
	gateway->statistics.udp_active++;
	int status = flow_connect(flow);
	if (status == 0)
		status = map_set(&listener->flows, client_key(client), flow);
	if (status < 0) {
		char text[ENDPOINT_TEXT_SIZE];
		log_failure(-status, "begin a UDP flow to %s", endpoint_format(endpoint, text));
		flow_end(flow);
		return NULL;
	}
	gateway->statistics.udp_flows++;
	frontend_remember(frontend, address, endpoint, gateway->loop.now);
	return flow;
}

/* From the client to the endpoint. */
static void forward(struct udp_listener *listener, const struct sockaddr_in *client, size_t size)
{
	struct gateway *gateway = listener->gateway;
	const char *datagram = gateway->udp->datagram;
	struct udp_flow *flow = map_get(&listener->flows, client_key(client));

	if (flow == NULL)
		flow = flow_begin(listener, client);
	if (flow == NULL)
		return;
	/* The socket reports once, here or at a read, that the endpoint refused an earlier one. */
	if (send(flow->source.fd, datagram, size, 0) < 0 && errno == ECONNREFUSED) {
		flow_end(flow);
		flow = flow_begin(listener, client);
		if (flow == NULL)
			return;
		send(flow->source.fd, datagram, size, 0);
	}
	gateway->statistics.udp_datagrams++;
	flow->conversation = flow->conversation || flow->answered;
	flow_alive(flow);
}

static void listener_ready(struct source *source, uint32_t events)
{
	struct udp_listener *listener = list_object(source, struct udp_listener, source);
	char *datagram = listener->gateway->udp->datagram;

	(void)events;
	for (int i = 0; i < TURN; i++) {
		struct sockaddr_in client;
		socklen_t client_size = sizeof(client);
		ssize_t size = recvfrom(source->fd, datagram, DATAGRAM_MAX, 0,
		                        (struct sockaddr *)&client, &client_size);
		if (size < 0 && errno == EAGAIN)
			return;
		if (size >= 0)
			forward(listener, &client, (size_t)size);
	}
}

int udp_relay_init(struct gateway *gateway, size_t limit)
{
	struct udp_relay *udp = calloc(1, sizeof(*udp));

	if (udp == NULL)
		return -ENOMEM;
	udp->limit = limit;
	deadline_queue_init(&gateway->loop, &udp->questions, UDP_QUESTION_TIMEOUT);
	deadline_queue_init(&gateway->loop, &udp->conversations, UDP_CONVERSATION_TIMEOUT);
	gateway->udp = udp;
	return 0;
}

void udp_relay_end(struct gateway *gateway)
{
	free(gateway->udp);
	gateway->udp = NULL;
}

void udp_listener_init(struct gateway *gateway, struct udp_listener *listener)
{
	*listener = (struct udp_listener){.gateway = gateway};
	source_init(&listener->source, listener_ready);
}

int udp_listener_open(struct udp_listener *listener, bool outside, struct endpoint address,
                      struct frontend *frontend)
{
	struct gateway *gateway = listener->gateway;
	int fd = socket_serve(gateway, outside, SOCK_DGRAM, address);

	if (fd < 0)
		return fd;
	listener->frontend = frontend;
	int status = loop_watch(&gateway->loop, &listener->source, fd, EPOLLIN);
	if (status < 0)
		udp_listener_close(listener);
	return status;
}

/* Ends the flows, all of them or those to endpoints that are gone. */
static void drop_flows(struct udp_listener *listener, bool all)
{
	/* Ending a flow moves others about in the map: begin anew after each sweep that did. */
	for (bool again = true; again;) {
		again = false;
		for (size_t i = 0; i < listener->flows.capacity; i++) {
			struct udp_flow *flow = listener->flows.slots[i].value;
			if (flow != NULL && (all || !frontend_has(listener->frontend, flow->endpoint))) {
				flow_end(flow);
				again = true;
			}
		}
	}
}

void udp_listener_prune(struct udp_listener *listener)
{
	drop_flows(listener, false);
}

void udp_listener_close(struct udp_listener *listener)
{
	drop_flows(listener, true);
	map_free(&listener->flows);
	loop_close(&listener->gateway->loop, &listener->source);
}
