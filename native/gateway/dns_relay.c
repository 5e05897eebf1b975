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
#include "lib/analyzer.h"

/* Milliseconds an upstream has before the next one is asked; clients commonly wait 5 seconds. */
#define UPSTREAM_TIMEOUT 1500

/* Questions on their way at once. A domain whose servers are silent keeps each for seconds: the one
 * that waits longest, of a pod that has its share or of all, makes room for a new one. */
#define QUERIES_MAX 4096

/* Questions that one socket asks: those after it have another port, or who would forge an answer had to
 * find out one for all. Milliseconds that it still hears answers for, late ones as well. */
#define SOCKET_QUESTIONS 64
#define SOCKET_LINGER (2 * UPSTREAM_TIMEOUT)

#define HEADER_SIZE 12
#define MESSAGE_MAX 65535
#define TURN 32

/* Of the header's second flags byte and of the first. */
#define RCODE_SERVFAIL 2
#define FLAG_RESPONSE 0x80
#define FLAG_RECURSION_AVAILABLE 0x80

struct upstream {
	struct dns_relay *dns;
	struct list askers; /* the last one asks, the others still hear */
};

/* A socket that is connected to an upstream. */
struct asker {
	struct garbage garbage;
	struct source source;
	struct upstream *upstream;
	struct list node;    /* in the upstream's */
	struct list queries; /* that it asked last */
	size_t asked;
	struct deadline deadline; /* once it asks no more */
};

struct query {
	struct dns_relay *dns;
	struct list node; /* in the asker's */
	struct share *share;
	struct list member;
	struct sockaddr_in client;
	uint16_t client_id; /* in network byte order, as in the message */
	uint16_t id;        /* the one it has upstream */
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
	struct deadline_queue lingering;
	struct shares shares;
	struct query *queries[UINT16_MAX + 1]; /* by id */
	unsigned char message[MESSAGE_MAX];
};

static void query_end(struct query *query)
{
	query->dns->queries[query->id] = NULL;
	query->dns->gateway->statistics.dns_active--;
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

static void asker_close(struct asker *asker)
{
	struct loop *loop = &asker->upstream->dns->gateway->loop;

	deadline_clear(&asker->deadline);
	list_remove(&asker->node);
	loop_close(loop, &asker->source);
	loop_free(loop, &asker->garbage);
}

static void move_on(struct asker *asker);

static void asker_expired(struct deadline *deadline)
{
	struct asker *asker = list_object(deadline, struct asker, deadline);

	move_on(asker);
	asker_close(asker);
}

static void answer_ready(struct source *source, uint32_t events);

static int asker_open(struct upstream *upstream, struct endpoint endpoint)
{
	struct gateway *gateway = upstream->dns->gateway;
	struct asker *asker = calloc(1, sizeof(*asker));
	int fd = asker == NULL ? -ENOMEM : socket_open(gateway, true, SOCK_DGRAM);

	if (fd < 0) {
		free(asker);
		return fd;
	}
	/* By its upstream, and in the end by the loop. */
	analyzer_is_kept(asker);
	asker->upstream = upstream;
	source_init(&asker->source, answer_ready);
	list_init(&asker->queries);
	deadline_init(&asker->deadline, asker_expired);
	list_append(&upstream->askers, &asker->node);
	int status = loop_watch(&gateway->loop, &asker->source, fd, EPOLLIN);
	if (status == 0)
		status = socket_connect(fd, endpoint);
	if (status < 0)
		asker_close(asker);
	return status;
}

static struct asker *last_asker(struct upstream *upstream)
{
	return list_empty(&upstream->askers)
	           ? NULL
	           : list_object(upstream->askers.previous, struct asker, node);
}

/* Who asks the upstream the next question; NULL where it cannot be reached. */
static struct asker *asker_of(struct upstream *upstream)
{
	struct dns_relay *dns = upstream->dns;
	struct endpoint endpoint = dns->gateway->options.dns_upstreams[upstream - dns->upstreams];
	struct asker *last = last_asker(upstream);
	char text[ENDPOINT_TEXT_SIZE];

	if (last != NULL && last->asked < SOCKET_QUESTIONS)
		return last;
	int status = asker_open(upstream, endpoint);
	if (status < 0) {
		log_failure(-status, "reach the DNS server %s", endpoint_format(endpoint, text));
		/* Rather by a port that many had than not at all. */
		if (last != NULL)
			last->asked = 0;
	} else if (last != NULL) {
		deadline_set(&dns->gateway->loop, &dns->lingering, &last->deadline);
	}
	return last_asker(upstream);
}

/* Asks one upstream after the other until a question could be sent; false if none took it. */
static bool ask(struct query *query)
{
	struct dns_relay *dns = query->dns;
	const struct options *options = &dns->gateway->options;
	size_t upstreams = options->dns_upstream_count;

	while (query->attempts < upstreams) {
		size_t upstream = (dns->preferred + query->attempts) % upstreams;
		query->attempts++;
		/* To ask the node is always allowed; to ask a name server outside by way of it would
		 * be a way out. */
		if (!policy_allows(dns->gateway, PROTOCOL_UDP,
		                   ntohl(query->client.sin_addr.s_addr),
		                   options->dns_upstreams[upstream]))
			continue;
		struct asker *asker = asker_of(&dns->upstreams[upstream]);
		if (asker == NULL ||
		    send(asker->source.fd, query->message, query->size, 0) < 0)
			continue;
		asker->asked++;
		list_remove(&query->node);
		list_append(&asker->queries, &query->node);
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
	else if (dns->gateway->statistics.dns_active == QUERIES_MAX)
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
	dns->gateway->statistics.dns_active++;
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

/* Every question that is with it goes to the next upstream. */
static void move_on(struct asker *asker)
{
	struct list *queries = &asker->queries;
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

static void answer_ready(struct source *source, uint32_t events)
{
	struct asker *asker = list_object(source, struct asker, source);
	struct dns_relay *dns = asker->upstream->dns;

	(void)events;
	for (int i = 0; i < TURN; i++) {
		ssize_t size = recv(source->fd, dns->message, sizeof(dns->message), 0);
		uint16_t id;
		if (size < 0 && errno == EAGAIN)
			return;
		if (size < 0) {
			move_on(asker);
			return;
		}
		if (size < HEADER_SIZE)
			continue;
		memcpy(&id, dns->message, sizeof(id));
		struct query *query = dns->queries[id];
		/* A late answer to a question that went on to the next is as good. */
		if (query == NULL)
			continue;
		dns->preferred = (size_t)(asker->upstream - dns->upstreams);
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
	deadline_queue_init(&gateway->loop, &dns->lingering, SOCKET_LINGER);
	for (size_t i = 0; i < DNS_UPSTREAMS_MAX; i++) {
		dns->upstreams[i].dns = dns;
		list_init(&dns->upstreams[i].askers);
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

	for (size_t id = 0; id <= UINT16_MAX; id++)
		if (dns->queries[id] != NULL)
			query_end(dns->queries[id]);
	for (size_t i = 0; i < DNS_UPSTREAMS_MAX; i++)
		for (struct asker *asker; (asker = last_asker(&dns->upstreams[i])) != NULL;)
			asker_close(asker);
	loop_close(loop, &dns->source);
	tcp_listener_close(&dns->tcp);
	if (dns->frontend != NULL)
		frontend_release(dns->frontend);
	shares_free(&dns->shares);
	deadline_queue_end(&dns->deadlines);
	deadline_queue_end(&dns->lingering);
	free(dns);
}
