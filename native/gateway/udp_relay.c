#include "gateway/udp_relay.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "gateway/log.h"
#include "gateway/policy.h"
#include "gateway/socket.h"
#include "gateway/udp_flow.h"

/* Datagrams of one socket before the others have their turn. */
#define TURN 32

#define DATAGRAM_MAX 65535

struct relayed_flow {
	struct udp_flow flow; /* connected to the endpoint */
	struct udp_listener *listener;
	struct sockaddr_in client;
	struct endpoint endpoint;
};

struct udp_relay {
	struct udp_flows flows;
	char datagram[DATAGRAM_MAX];
};

static uint64_t client_key(const struct sockaddr_in *client)
{
	return (uint64_t)ntohl(client->sin_addr.s_addr) << 16 | ntohs(client->sin_port);
}

static void flow_forget(struct udp_flow *flow)
{
	struct relayed_flow *relayed = (struct relayed_flow *)flow;

	map_remove(&relayed->listener->flows, client_key(&relayed->client));
}

/* From the endpoint back to the client. */
static void flow_ready(struct source *source, uint32_t events)
{
	struct relayed_flow *relayed = list_object(source, struct relayed_flow, flow.source);
	struct gateway *gateway = relayed->listener->gateway;
	char *datagram = gateway->udp->datagram;

	(void)events;
	for (int i = 0; i < TURN; i++) {
		ssize_t size = recv(source->fd, datagram, DATAGRAM_MAX, 0);
		if (size < 0 && errno == EAGAIN)
			return;
		if (size < 0) {
			/* ECONNREFUSED: nobody is there any more; the client's next datagram
			 * goes to another endpoint. */
			udp_flow_end(&relayed->flow);
			return;
		}
		if (socket_answer(gateway, relayed->listener->source.fd, datagram, (size_t)size,
		                  &relayed->client) < 0)
			gateway->statistics.udp_lost++;
		gateway->statistics.udp_datagrams++;
		udp_flow_answered(&relayed->flow);
	}
}

/* The endpoint whose turn it is, or the next one that the client may reach. */
static bool choose(const struct gateway *gateway, struct frontend *frontend, uint32_t client,
                   struct endpoint *out)
{
	size_t first = frontend_choose(frontend, client, gateway->loop.now);

	for (size_t i = 0; i < frontend->endpoint_count; i++) {
		*out = frontend->endpoints[(first + i) % frontend->endpoint_count];
		if (policy_allows(gateway, PROTOCOL_UDP, client, *out) &&
		    (!endpoint_is_outside(gateway, frontend->side, *out) ||
		     policy_allows_outside(gateway, client, out->address)))
			return true;
	}
	return false;
}

static int flow_open(struct relayed_flow *relayed)
{
	struct udp_listener *listener = relayed->listener;
	uint32_t client = ntohl(relayed->client.sin_addr.s_addr);
	bool outside = endpoint_is_outside(listener->gateway, listener->frontend->side,
	                                   relayed->endpoint);
	int status = udp_flow_begin(&relayed->flow, &listener->gateway->udp->flows, client,
	                            flow_ready, flow_forget);

	if (status < 0) {
		free(relayed);
		return status;
	}
	status = udp_flow_connect(&relayed->flow, outside, relayed->endpoint);
	if (status == 0)
		status = map_set(&listener->flows, client_key(&relayed->client), relayed);
	if (status < 0)
		udp_flow_end(&relayed->flow);
	return status;
}

static struct relayed_flow *flow_begin(struct udp_listener *listener,
                                       const struct sockaddr_in *client)
{
	struct gateway *gateway = listener->gateway;
	struct frontend *frontend = listener->frontend;
	uint32_t address = ntohl(client->sin_addr.s_addr);
	struct endpoint endpoint;

	if (!choose(gateway, frontend, address, &endpoint))
		return NULL;
	udp_flows_make_room(&gateway->udp->flows, address);
	struct relayed_flow *relayed = calloc(1, sizeof(*relayed));
	if (relayed == NULL)
		return NULL;
	relayed->listener = listener;
	relayed->client = *client;
	relayed->endpoint = endpoint;
	int status = flow_open(relayed);
	if (status < 0) {
		char text[ENDPOINT_TEXT_SIZE];
		log_failure(-status, "begin a UDP flow to %s", endpoint_format(endpoint, text));
		return NULL;
	}
	gateway->statistics.udp_flows++;
	frontend_remember(frontend, address, endpoint, gateway->loop.now);
	return relayed;
}

/* From the client to the endpoint. */
static void forward(struct udp_listener *listener, const struct sockaddr_in *client, size_t size)
{
	struct gateway *gateway = listener->gateway;
	const char *datagram = gateway->udp->datagram;
	struct relayed_flow *relayed = map_get(&listener->flows, client_key(client));

	if (relayed == NULL)
		relayed = flow_begin(listener, client);
	if (relayed == NULL)
		return;
	ssize_t sent = send(relayed->flow.source.fd, datagram, size, 0);
	/* The socket reports once, here or at a read, that the endpoint refused an earlier one. */
	if (sent < 0 && errno == ECONNREFUSED) {
		udp_flow_end(&relayed->flow);
		relayed = flow_begin(listener, client);
		if (relayed == NULL)
			return;
		sent = send(relayed->flow.source.fd, datagram, size, 0);
	}
	if (sent < 0)
		gateway->statistics.udp_lost++;
	gateway->statistics.udp_datagrams++;
	udp_flow_asked(&relayed->flow);
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
	udp_flows_init(&udp->flows, gateway, limit, &gateway->statistics.udp_active);
	gateway->udp = udp;
	return 0;
}

void udp_relay_end(struct gateway *gateway)
{
	udp_flows_end(&gateway->udp->flows);
	free(gateway->udp);
	gateway->udp = NULL;
}

void udp_relay_forget(struct gateway *gateway, uint32_t address)
{
	udp_flows_forget(&gateway->udp->flows, address);
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
			struct relayed_flow *relayed = listener->flows.slots[i].value;
			if (relayed == NULL ||
			    (!all && frontend_has(listener->frontend, relayed->endpoint)))
				continue;
			udp_flow_end(&relayed->flow);
			again = true;
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
