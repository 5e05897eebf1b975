#include "gateway/udp_outside.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/datagram.h"
#include "gateway/node_addresses.h"
#include "gateway/policy.h"
#include "gateway/socket.h"
#include "gateway/udp_relay.h"

/* As much as a frame of any network outside holds. The bridge's own are larger, and full of other
 * things than UDP: what is not read of those is not copied either. */
#define FRAME_MAX 9018

/* Frames, or answers, of one socket before the others have their turn. */
#define TURN 64

/* What a pod's socket says to one place outside. */
struct outside_flow {
	struct garbage garbage;
	struct source source; /* connected to the place */
	struct udp_outside *outside;
	struct datagram answer; /* but for its payload */
	struct deadline deadline;
	bool answered;
	bool conversation; /* the pod went on after an answer */
};

struct udp_outside {
	struct source source;
	struct gateway *gateway;
	struct map flows; /* by key() */
	struct deadline_queue questions;
	struct deadline_queue conversations;
	size_t limit;
	int raw; /* to send packets with somebody else's address as their source */
	unsigned char frame[FRAME_MAX];
	unsigned char payload[FRAME_MAX];
	unsigned char packet[FRAME_MAX];
};

/* Two flows may have the same key: is_of() tells. */
static uint64_t key(struct endpoint pod, struct endpoint place)
{
	uint64_t a = (uint64_t)pod.address << 16 | pod.port;
	uint64_t b = (uint64_t)place.address << 16 | place.port;

	return a ^ (b << 16 | b >> 48);
}

static bool is_of(const struct outside_flow *flow, struct endpoint pod, struct endpoint place)
{
	return endpoint_equal(flow->answer.destination, pod) &&
	       endpoint_equal(flow->answer.source, place);
}

static void flow_end(struct outside_flow *flow)
{
	struct udp_outside *outside = flow->outside;

	map_remove(&outside->flows, key(flow->answer.destination, flow->answer.source));
	deadline_clear(&flow->deadline);
	loop_close(&outside->gateway->loop, &flow->source);
	loop_free(&outside->gateway->loop, &flow->garbage);
	outside->gateway->statistics.udp_outside_active--;
}

static void flow_expired(struct deadline *deadline)
{
	flow_end(list_object(deadline, struct outside_flow, deadline));
}

static void flow_alive(struct outside_flow *flow)
{
	struct udp_outside *outside = flow->outside;

	deadline_set(&outside->gateway->loop,
	             flow->conversation ? &outside->conversations : &outside->questions,
	             &flow->deadline);
}

/* A packet socket would do as well, if gVisor's could send. */
static void send_answer(struct outside_flow *flow, size_t size)
{
	struct udp_outside *outside = flow->outside;
	struct statistics *statistics = &outside->gateway->statistics;
	const struct sockaddr_in pod = endpoint_to_socket(flow->answer.destination);

	flow->answer.payload = outside->payload;
	flow->answer.size = size;
	size_t length =
	    datagram_write_packet(&flow->answer, outside->packet, sizeof(outside->packet));
	if (length == 0 || sendto(outside->raw, outside->packet, length, 0,
	                          (const struct sockaddr *)&pod, sizeof(pod)) < 0)
		statistics->udp_lost++;
	statistics->udp_datagrams++;
	flow->answered = true;
}

static void flow_ready(struct source *source, uint32_t events)
{
	struct outside_flow *flow = list_object(source, struct outside_flow, source);

	(void)events;
	for (int i = 0; i < TURN; i++) {
		ssize_t size = recv(source->fd, flow->outside->payload,
		                    sizeof(flow->outside->payload), MSG_TRUNC);
		if (size < 0 && errno == EAGAIN)
			break;
		if (size < 0) {
			/* ECONNREFUSED: nobody is there. */
			flow_end(flow);
			return;
		}
		send_answer(flow, (size_t)size);
	}
	flow_alive(flow);
}

/* The flow that was silent longest makes room for a new one. */
static void make_room(struct udp_outside *outside)
{
	struct list *oldest = list_empty(&outside->questions.deadlines)
	                          ? outside->conversations.deadlines.next
	                          : outside->questions.deadlines.next;

	flow_end(list_object(list_object(oldest, struct deadline, node), struct outside_flow,
	                     deadline));
}

static int flow_connect(struct outside_flow *flow)
{
	struct gateway *gateway = flow->outside->gateway;
	int fd = socket_open(gateway, true, SOCK_DGRAM);

	if (fd < 0)
		return fd;
	int status = socket_connect(fd, flow->answer.source);
	if (status < 0) {
		close(fd);
		return status;
	}
	return loop_watch(&gateway->loop, &flow->source, fd, EPOLLIN);
}

static struct outside_flow *flow_begin(struct udp_outside *outside, const struct datagram *first)
{
	struct gateway *gateway = outside->gateway;

	if (outside->flows.count >= outside->limit)
		make_room(outside);
	struct outside_flow *flow = calloc(1, sizeof(*flow));
	if (flow == NULL)
		return NULL;
	flow->outside = outside;
	flow->answer =
	    (struct datagram){.source = first->destination, .destination = first->source};
	source_init(&flow->source, flow_ready);
	deadline_init(&flow->deadline, flow_expired);
	gateway->statistics.udp_outside_active++;
	int status = flow_connect(flow);
	if (status == 0)
		status = map_set(&outside->flows, key(first->source, first->destination), flow);
	if (status < 0) {
		flow_end(flow);
		return NULL;
	}
	gateway->statistics.udp_flows++;
	return flow;
}

static void forward(struct udp_outside *outside, const struct datagram *datagram)
{
	struct outside_flow *flow =
	    map_get(&outside->flows, key(datagram->source, datagram->destination));

	if (flow != NULL && !is_of(flow, datagram->source, datagram->destination)) {
		flow_end(flow);
		flow = NULL;
	}
	if (flow == NULL)
		flow = flow_begin(outside, datagram);
	if (flow == NULL)
		return;
	/* An error is of an earlier datagram, or of this one: lost, as datagrams are. */
	if (send(flow->source.fd, datagram->payload, datagram->size, 0) < 0)
		outside->gateway->statistics.udp_lost++;
	outside->gateway->statistics.udp_datagrams++;
	flow->conversation = flow->conversation || flow->answered;
	flow_alive(flow);
}

/* From a pod, to where neither the cluster nor the node is. */
static bool is_for_outside(const struct gateway *gateway, const struct datagram *datagram)
{
	uint32_t to = datagram->destination.address;

	return network_contains(&gateway->options.pod_cidr, datagram->source.address) &&
	       !network_contains(&gateway->options.pod_cidr, to) &&
	       !network_contains(&gateway->options.service_cidr, to) &&
	       address_is_unicast(to) && !node_addresses_has(gateway->addresses, to);
}

static void frames_ready(struct source *source, uint32_t events)
{
	struct udp_outside *outside = list_object(source, struct udp_outside, source);
	struct gateway *gateway = outside->gateway;
	struct datagram datagram;

	(void)events;
	for (int i = 0; i < TURN; i++) {
		ssize_t size = recv(source->fd, outside->frame, sizeof(outside->frame), 0);
		if (size < 0)
			return;
		if (datagram_read_frame(outside->frame, (size_t)size, &datagram) &&
		    is_for_outside(gateway, &datagram) &&
		    policy_allows(gateway, PROTOCOL_UDP, datagram.source.address,
		                  datagram.destination))
			forward(outside, &datagram);
	}
}

/* Of the node's link, and of IPv4 only: ETH_P_ALL would show what the node sends as well. */
static int open_packet_socket(unsigned link)
{
	const struct sockaddr_ll address = {.sll_family = AF_PACKET,
	                                    .sll_protocol = htons(ETHERTYPE_IP),
	                                    .sll_ifindex = (int)link};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		int status = -errno;
		close(fd);
		return status;
	}
	return fd < 0 ? -errno : fd;
}

static int open_sockets(struct udp_outside *outside)
{
	struct gateway *gateway = outside->gateway;

	outside->raw = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_RAW);
	if (outside->raw < 0)
		return -errno;
	int fd = open_packet_socket(gateway->addresses->link);
	return fd < 0 ? fd : loop_watch(&gateway->loop, &outside->source, fd, EPOLLIN);
}

struct udp_outside *udp_outside_open(struct gateway *gateway, size_t limit, struct failure *failure)
{
	struct udp_outside *outside = calloc(1, sizeof(*outside));

	if (outside == NULL) {
		fail(failure, ENOMEM, "relay UDP to the outside");
		return NULL;
	}
	outside->gateway = gateway;
	outside->limit = limit;
	deadline_queue_init(&gateway->loop, &outside->questions, UDP_QUESTION_TIMEOUT);
	deadline_queue_init(&gateway->loop, &outside->conversations, UDP_CONVERSATION_TIMEOUT);
	source_init(&outside->source, frames_ready);
	int status = open_sockets(outside);
	if (status == 0)
		return outside;
	fail(failure, -status, "open sockets for UDP to the outside");
	udp_outside_close(outside);
	return NULL;
}

void udp_outside_close(struct udp_outside *outside)
{
	while (!list_empty(&outside->questions.deadlines) ||
	       !list_empty(&outside->conversations.deadlines))
		make_room(outside);
	map_free(&outside->flows);
	loop_close(&outside->gateway->loop, &outside->source);
	if (outside->raw >= 0)
		close(outside->raw);
	list_remove(&outside->questions.node);
	list_remove(&outside->conversations.node);
	free(outside);
}
