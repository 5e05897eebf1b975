#include "gateway/dns_relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "gateway/log.h"
#include "gateway/policy.h"
#include "gateway/shares.h"
#include "gateway/socket.h"

/* Milliseconds an upstream has before the next one is asked; clients commonly wait 5 seconds. */
#define UPSTREAM_TIMEOUT 1500

/* Questions on their way at once. A domain whose servers are silent keeps each for seconds: the one
 * that waits longest, of a pod that has its share or of all, makes room for a new one. */
#define QUERIES_MAX 4096

#define HEADER_SIZE 12
#define MESSAGE_MAX 65535
#define TURN 32

/* Of the header's second flags byte and of the first. */
#define RCODE_SERVFAIL 2
#define FLAG_RESPONSE 0x80
#define FLAG_RECURSION_AVAILABLE 0x80

struct upstream {
	struct source source;
	struct dns_relay *dns;
	struct list queries; /* that it was asked last */
};

struct query {
	struct dns_relay *dns;
	struct list node; /* in the upstream's */
	struct share *share;
	struct list member;
	struct sockaddr_in client;
	uint16_t client_id; /* in network byte order, as in the message */
	uint16_t id;        /* the one it has upstream */
	size_t upstream;
	size_t attempts;
	struct deadline deadline;
	size_t size;
	unsigned char message[];
};

struct dns_relay {
	struct gateway *gateway;
	struct source source;
	struct tcp_listener tcp;
	struct frontend *frontend; /* of the TCP listener: the upstreams */
	struct upstream upstreams[DNS_UPSTREAMS_MAX];
	size_t preferred; /* the upstream that answered last */
	struct deadline_queue deadlines;
	size_t count;
	struct shares shares;
	struct query *queries[UINT16_MAX + 1]; /* by id */
	unsigned char message[MESSAGE_MAX];
};

static void query_end(struct query *query)
{
	query->dns->queries[query->id] = NULL;
	query->dns->count--;
	list_remove(&query->node);
	shares_leave(&query->dns->shares, query->share, &query->member);
	deadline_clear(&query->deadline);
	free(query);
}

static void answer(struct query *query, unsigned char *message, size_t size)
{
	memcpy(message, &query->client_id, sizeof(query->client_id));
	/* An answer that does not get out is lost, as on any network; the client asks again. */
	socket_answer(query->dns->gateway, query->dns->source.fd, message, size, &query->client);
	query_end(query);
}

/* Whoever asked is told at once, instead of waiting for nothing. */
static void answer_failure(struct query *query)
{
	query->dns->gateway->statistics.dns_failed++;
	query->message[2] = (unsigned char)(query->message[2] | FLAG_RESPONSE);
	query->message[3] = FLAG_RECURSION_AVAILABLE | RCODE_SERVFAIL;
	answer(query, query->message, query->size);
}

static bool upstream_open(struct upstream *upstream, size_t index)
{
	struct gateway *gateway = upstream->dns->gateway;
	struct endpoint endpoint = gateway->options.dns_upstreams[index];
	char text[ENDPOINT_TEXT_SIZE];
	int fd = socket_open(gateway, true, SOCK_DGRAM);
	int status = fd;

	if (fd >= 0)
		status = loop_watch(&gateway->loop, &upstream->source, fd, EPOLLIN);
	if (status == 0)
		status = socket_connect(fd, endpoint);
	if (status == 0)
		return true;
	log_failure(-status, "reach the DNS server %s", endpoint_format(endpoint, text));
	loop_close(&gateway->loop, &upstream->source);
	return false;
}

/* Asks one upstream after the other until a question could be sent; false if none took it. */
static bool ask(struct query *query)
{
	struct dns_relay *dns = query->dns;
	const struct options *options = &dns->gateway->options;
	size_t upstreams = options->dns_upstream_count;

	while (query->attempts < upstreams) {
		query->upstream = (dns->preferred + query->attempts) % upstreams;
		query->attempts++;
		struct upstream *upstream = &dns->upstreams[query->upstream];
		/* To ask the node is always allowed; to ask a name server outside by way of it would
		 * be a way out. */
		if (!policy_allows(dns->gateway, PROTOCOL_UDP,
		                   ntohl(query->client.sin_addr.s_addr),
		                   options->dns_upstreams[query->upstream]))
			continue;
		if (upstream->source.fd < 0 && !upstream_open(upstream, query->upstream))
			continue;
		if (send(upstream->source.fd, query->message, query->size, 0) < 0)
			continue;
		list_remove(&query->node);
		list_append(&upstream->queries, &query->node);
		deadline_set(&dns->gateway->loop, &dns->deadlines, &query->deadline);
		return true;
	}
	return false;
}

static void query_expired(struct deadline *deadline)
{
	struct query *query = list_object(deadline, struct query, deadline);

	if (!ask(query))
		answer_failure(query);
}

/* An id that no question on its way has, not to be guessed by who would forge the answer. */
static uint16_t free_id(const struct dns_relay *dns)
{
	uint16_t id = 0;

	do
		if (getrandom(&id, sizeof(id), 0) != sizeof(id))
			id++;
	while (dns->queries[id] != NULL);
	return id;
}

static void make_room(struct dns_relay *dns, uint32_t client)
{
	const struct share *share = shares_of(&dns->shares, client);

	if (share != NULL && share->count >= shares_most(&dns->gateway->options, client, QUERIES_MAX))
		answer_failure(list_object(share->members.next, struct query, member));
	else if (dns->count == QUERIES_MAX)
		answer_failure(list_object(
		    list_object(dns->deadlines.deadlines.next, struct deadline, node),
		    struct query, deadline));
}

static void question(struct dns_relay *dns, const struct sockaddr_in *client,
                     const unsigned char *message, size_t size)
{
	uint32_t address = ntohl(client->sin_addr.s_addr);

	if (size < HEADER_SIZE || message[2] & FLAG_RESPONSE)
		return;
	make_room(dns, address);
	struct query *query = calloc(1, sizeof(*query) + size);
	if (query == NULL)
		return;
	*query = (struct query){
	    .dns = dns, .client = *client, .id = free_id(dns), .size = size};
	query->share = shares_join(&dns->shares, address, &query->member);
	if (query->share == NULL) {
		free(query);
		return;
	}
	deadline_init(&query->deadline, query_expired);
	list_init(&query->node);
	memcpy(&query->client_id, message, sizeof(query->client_id));
	memcpy(query->message, message, size);
	memcpy(query->message, &query->id, sizeof(query->id));
	dns->queries[query->id] = query;
	dns->count++;
	dns->gateway->statistics.dns_queries++;
	if (!ask(query))
		answer_failure(query);
}

static void client_ready(struct source *source, uint32_t events)
{
	struct dns_relay *dns = list_object(source, struct dns_relay, source);

	(void)events;
	for (int i = 0; i < TURN; i++) {
		struct sockaddr_in client;
		socklen_t client_size = sizeof(client);
		ssize_t size = recvfrom(source->fd, dns->message, sizeof(dns->message), 0,
		                        (struct sockaddr *)&client, &client_size);
		if (size < 0 && errno == EAGAIN)
			return;
		if (size >= 0)
			question(dns, &client, dns->message, (size_t)size);
	}
}

/* Every question that is with this upstream goes to the next. */
static void upstream_failed(struct dns_relay *dns, size_t index)
{
	struct list *queries = &dns->upstreams[index].queries;
	struct list all;

	/* None comes back here: each is asked of another, or of none. */
	list_init(&all);
	while (!list_empty(queries)) {
		struct list *node = queries->next;
		list_remove(node);
		list_append(&all, node);
	}
	while (!list_empty(&all)) {
		struct query *query = list_object(all.next, struct query, node);
		list_remove(&query->node);
		if (!ask(query))
			answer_failure(query);
	}
}

static void upstream_ready(struct source *source, uint32_t events)
{
	struct upstream *upstream = list_object(source, struct upstream, source);
	struct dns_relay *dns = upstream->dns;
	size_t index = (size_t)(upstream - dns->upstreams);

	(void)events;
	for (int i = 0; i < TURN; i++) {
		ssize_t size = recv(source->fd, dns->message, sizeof(dns->message), 0);
		uint16_t id;
		if (size < 0 && errno == EAGAIN)
			return;
		if (size < 0) {
			upstream_failed(dns, index);
			return;
		}
		if (size < HEADER_SIZE)
			continue;
		memcpy(&id, dns->message, sizeof(id));
		struct query *query = dns->queries[id];
		/* A late answer to a question that went on to the next is as good. */
		if (query == NULL)
			continue;
		dns->preferred = index;
		answer(query, dns->message, (size_t)size);
	}
}

static int open_tcp(struct dns_relay *dns, struct endpoint address)
{
	const struct options *options = &dns->gateway->options;
	const struct frontend_key key = {.protocol = PROTOCOL_TCP, .address = address};

	dns->frontend = frontend_create(key, SIDE_OUTSIDE, options->dns_upstreams,
	                                options->dns_upstream_count);
	if (dns->frontend == NULL)
		return -ENOMEM;
	return tcp_listener_open(&dns->tcp, false, address, dns->frontend);
}

static int open_udp(struct dns_relay *dns, struct endpoint address)
{
	int fd = socket_serve(dns->gateway, false, SOCK_DGRAM, address);

	if (fd < 0)
		return fd;
	return loop_watch(&dns->gateway->loop, &dns->source, fd, EPOLLIN);
}

struct dns_relay *dns_relay_open(struct gateway *gateway, struct failure *failure)
{
	const struct endpoint address = {.address = gateway->options.bridge_address,
	                                 .port = DNS_PORT};
	char text[ENDPOINT_TEXT_SIZE];
	struct dns_relay *dns = calloc(1, sizeof(*dns));

	if (dns == NULL) {
		fail(failure, ENOMEM, "relay DNS");
		return NULL;
	}
	dns->gateway = gateway;
	source_init(&dns->source, client_ready);
	tcp_listener_init(gateway, &dns->tcp);
	deadline_queue_init(&gateway->loop, &dns->deadlines, UPSTREAM_TIMEOUT);
	for (size_t i = 0; i < DNS_UPSTREAMS_MAX; i++) {
		dns->upstreams[i].dns = dns;
		list_init(&dns->upstreams[i].queries);
		source_init(&dns->upstreams[i].source, upstream_ready);
	}
	int status = open_udp(dns, address);
	if (status < 0) {
		fail(failure, -status, "receive DNS on %s", endpoint_format(address, text));
	} else {
		status = open_tcp(dns, address);
		if (status < 0)
			fail(failure, -status, "accept DNS on %s", endpoint_format(address, text));
	}
	if (status == 0)
		return dns;
	dns_relay_close(dns);
	return NULL;
}

void dns_relay_close(struct dns_relay *dns)
{
	struct loop *loop = &dns->gateway->loop;

	for (size_t id = 0; dns->count > 0 && id <= UINT16_MAX; id++)
		if (dns->queries[id] != NULL)
			query_end(dns->queries[id]);
	for (size_t i = 0; i < DNS_UPSTREAMS_MAX; i++)
		loop_close(loop, &dns->upstreams[i].source);
	loop_close(loop, &dns->source);
	tcp_listener_close(&dns->tcp);
	if (dns->frontend != NULL)
		frontend_release(dns->frontend);
	shares_free(&dns->shares);
	deadline_queue_end(&dns->deadlines);
	free(dns);
}
