#include "gateway/udp_outside.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/datagram.h"
#include "gateway/log.h"
#include "gateway/node_addresses.h"
#include "gateway/policy.h"
#include "gateway/raw_probe.h"
#include "gateway/router.h"
#include "gateway/socket.h"
#include "gateway/udp_flow.h"
#include "lib/analyzer.h"

/* As much of a frame as is read: what any network outside holds. The bridge's own are larger, and
 * full of other things than UDP; what is not read of those is not copied either. */
#define FRAME_MAX 9018
#define PACKET_MAX UINT16_MAX

/* Frames, or answers, of one socket before the others have their turn. */
#define TURN 64

/* Bytes of what nobody has read yet. A packet socket is shown TCP as well, in frames of 64 KiB. */
#define RECEIVE_BUFFER (8 * 1024 * 1024)

/* How the gateway is shown what pods send. */
enum sight {
	SIGHT_NONE,
	SIGHT_FRAMES,  /* by a packet socket: everything, and which link it came from */
	SIGHT_PACKETS, /* by a raw socket: UDP only, but not where from */
};

/* What a socket of a pod's, or of the node's, says to one place outside. */
struct outside_flow {
	struct udp_flow flow; /* connected to the place */
	struct view *view;
	struct datagram answer; /* but for its payload */
};

/* Where it is seen, and answered. */
struct view {
	struct source source;
	struct udp_outside *outside;
	enum sight sight;
	int raw; /* to send packets with somebody else's address as their source */
};

struct udp_outside {
	struct gateway *gateway;
	struct view pods; /* what pods send, by the node's link */
	struct view node; /* what the node sends, by its router's */
	struct router router;
	bool raw_is_shown; /* what is on its way to others: see raw_probe.h */
	struct map map;    /* by key() */
	struct udp_flows flows;
	unsigned char received[PACKET_MAX];
	unsigned char packet[PACKET_MAX];
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

static void flow_forget(struct udp_flow *flow)
{
	struct outside_flow *own = (struct outside_flow *)flow;

	map_remove(&own->view->outside->map, key(own->answer.destination, own->answer.source));
}

/* A packet socket would do as well, if gVisor's could send. */
static void send_answer(struct outside_flow *flow, size_t size)
{
	struct udp_outside *outside = flow->view->outside;
	struct statistics *statistics = &outside->gateway->statistics;
	const struct sockaddr_in client = endpoint_to_socket(flow->answer.destination);

	flow->answer.payload = outside->received;
	flow->answer.size = size;
	size_t length =
	    datagram_write_packet(&flow->answer, outside->packet, sizeof(outside->packet));
	if (length == 0 || sendto(flow->view->raw, outside->packet, length, 0,
	                          (const struct sockaddr *)&client, sizeof(client)) < 0)
		statistics->udp_lost++;
	statistics->udp_datagrams++;
}

static void flow_ready(struct source *source, uint32_t events)
{
	struct outside_flow *flow = list_object(source, struct outside_flow, flow.source);

	(void)events;
	for (int i = 0; i < TURN; i++) {
		ssize_t size = recv(source->fd, flow->view->outside->received,
		                    sizeof(flow->view->outside->received), 0);
		if (size < 0 && errno == EAGAIN)
			return;
		if (size < 0) {
			/* ECONNREFUSED: nobody is there. */
			udp_flow_end(&flow->flow);
			return;
		}
		send_answer(flow, (size_t)size);
		udp_flow_answered(&flow->flow);
	}
}

static struct outside_flow *flow_begin(struct view *view, const struct datagram *first)
{
	struct udp_outside *outside = view->outside;
	struct gateway *gateway = outside->gateway;

	udp_flows_make_room(&outside->flows, first->source.address);
	struct outside_flow *flow = calloc(1, sizeof(*flow));
	if (flow == NULL)
		return NULL;
	flow->view = view;
	flow->answer =
	    (struct datagram){.source = first->destination, .destination = first->source};
	if (udp_flow_begin(&flow->flow, &outside->flows, first->source.address, flow_ready,
	                   flow_forget) < 0) {
		free(flow);
		return NULL;
	}
	/* By the flows, and in the end by the loop. */
	analyzer_is_kept(flow);
	int status = udp_flow_connect(&flow->flow, true, first->destination);
	if (status == 0)
		status = map_set(&outside->map, key(first->source, first->destination), flow);
	if (status < 0) {
		udp_flow_end(&flow->flow);
		return NULL;
	}
	gateway->statistics.udp_flows++;
	return flow;
}

static void forward(struct view *view, const struct datagram *datagram)
{
	struct udp_outside *outside = view->outside;
	struct statistics *statistics = &outside->gateway->statistics;
	struct outside_flow *flow =
	    map_get(&outside->map, key(datagram->source, datagram->destination));

	if (flow != NULL && !is_of(flow, datagram->source, datagram->destination)) {
		udp_flow_end(&flow->flow);
		flow = NULL;
	}
	if (flow == NULL)
		flow = flow_begin(view, datagram);
	statistics->udp_datagrams++;
	/* An error is of an earlier datagram, or of this one: lost, as datagrams are. */
	if (flow == NULL || send(flow->flow.source.fd, datagram->payload, datagram->size, 0) < 0)
		statistics->udp_lost++;
	if (flow != NULL)
		udp_flow_asked(&flow->flow);
}

/* From whom the view is for, to where neither the cluster nor the node is. */
static bool is_for_outside(const struct view *view, const struct datagram *datagram)
{
	const struct gateway *gateway = view->outside->gateway;
	uint32_t from = datagram->source.address;
	uint32_t to = datagram->destination.address;
	bool is_node = from == gateway->options.bridge_address;

	return is_node == (view == &view->outside->node) &&
	       network_contains(&gateway->options.pod_cidr, from) &&
	       address_is_outside(gateway, to);
}

/* `size` may be more than what was read: what a packet socket is shown is cut off. */
static bool read_datagram(const struct view *view, size_t size, struct datagram *out)
{
	const struct udp_outside *outside = view->outside;

	if (view->sight == SIGHT_PACKETS)
		return datagram_read_packet(outside->received, size, out);
	if (!datagram_read_frame(outside->received, size, out))
		return false;
	return view == &outside->node ? datagram_frame_is_of(outside->received,
	                                                     outside->router.node_address)
	                              : datagram_frame_is_from(outside->received,
	                                                       out->source.address);
}

static void seen(struct source *source, uint32_t events)
{
	struct view *view = list_object(source, struct view, source);
	struct udp_outside *outside = view->outside;
	struct gateway *gateway = outside->gateway;
	size_t room = view->sight == SIGHT_FRAMES ? FRAME_MAX : PACKET_MAX;
	struct datagram datagram;

	(void)events;
	for (int i = 0; i < TURN; i++) {
		ssize_t size = recv(source->fd, outside->received, room, MSG_TRUNC);
		if (size < 0)
			return;
		if (!read_datagram(view, (size_t)size, &datagram) ||
		    !is_for_outside(view, &datagram) ||
		    !policy_allows_outside(gateway, datagram.source.address,
		                           datagram.destination.address) ||
		    !policy_allows(gateway, PROTOCOL_UDP, datagram.source.address,
		                   datagram.destination))
			continue;
		if ((size_t)size > room)
			gateway->statistics.udp_lost++;
		else
			forward(view, &datagram);
	}
}

/* Not of a link: the nat rules drop what comes in by any other than the node's. */
static int open_packets(void)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);

	return fd < 0 ? -errno : fd;
}

static int look(struct view *view, enum sight sight, int fd)
{
	struct gateway *gateway = view->outside->gateway;
	const int size = RECEIVE_BUFFER;

	if (fd < 0)
		return fd;
	/* Without the privilege for it, as much as is allowed. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	loop_close(&gateway->loop, &view->source);
	view->sight = sight;
	return loop_watch(&gateway->loop, &view->source, fd, EPOLLIN);
}

static int look_at_pods(struct udp_outside *outside, enum sight sight)
{
	return look(&outside->pods, sight,
	            sight == SIGHT_FRAMES ? router_watch(outside->gateway->addresses->link)
	                                  : open_packets());
}

/*
 * A raw socket is shown nothing but UDP: streams are not copied for it, and do not fill its buffer.
 * But any process that may make raw packets may write another pod's address into them, so where it
 * matters who sends, a packet socket shows that as well.
 */
static enum sight wanted(const struct udp_outside *outside)
{
	return outside->raw_is_shown && !outside->gateway->pods.isolates_egress ? SIGHT_PACKETS
	                                                                        : SIGHT_FRAMES;
}

void udp_outside_sync(struct udp_outside *outside)
{
	enum sight sight = wanted(outside);

	if (sight == outside->pods.sight)
		return;
	int status = look_at_pods(outside, sight);
	if (status < 0)
		log_failure(-status, "change how UDP to the outside is seen");
}

bool udp_outside_is_shown(const struct udp_outside *outside)
{
	return outside->raw_is_shown;
}

void udp_outside_forget(struct udp_outside *outside, uint32_t address)
{
	udp_flows_forget(&outside->flows, address);
}

static int open_pods(struct udp_outside *outside)
{
	outside->pods.raw = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_RAW);
	if (outside->pods.raw < 0)
		return -errno;
	outside->raw_is_shown = raw_probe();
	return look_at_pods(outside, wanted(outside));
}

static int open_node(struct udp_outside *outside, struct failure *failure)
{
	struct gateway *gateway = outside->gateway;
	const struct options *options = &gateway->options;

	if (options->router == 0)
		return 0;
	int status = router_open(&outside->router, options->bridge, options->router,
	                         gateway->addresses->link, gateway->pods.home, failure);
	if (status < 0)
		return status;
	outside->node.raw = outside->router.packets;
	status = look(&outside->node, SIGHT_FRAMES, outside->router.frames);
	return status < 0 ? fail(failure, -status, "watch the node's router") : 0;
}

static void view_init(struct udp_outside *outside, struct view *view)
{
	view->outside = outside;
	view->raw = -1;
	source_init(&view->source, seen);
}

static void view_close(struct view *view)
{
	loop_close(&view->outside->gateway->loop, &view->source);
	if (view->raw >= 0)
		close(view->raw);
}

struct udp_outside *udp_outside_open(struct gateway *gateway, size_t limit, struct failure *failure)
{
	struct udp_outside *outside = calloc(1, sizeof(*outside));

	if (outside == NULL) {
		fail(failure, ENOMEM, "relay UDP to the outside");
		return NULL;
	}
	outside->gateway = gateway;
	udp_flows_init(&outside->flows, gateway, limit, &gateway->statistics.udp_outside_active);
	view_init(outside, &outside->pods);
	view_init(outside, &outside->node);
	outside->router.netns = -1;
	int status = open_pods(outside);
	if (status < 0)
		fail(failure, -status, "open sockets for UDP to the outside");
	else
		status = open_node(outside, failure);
	if (status == 0)
		return outside;
	udp_outside_close(outside);
	return NULL;
}

void udp_outside_close(struct udp_outside *outside)
{
	udp_flows_end(&outside->flows);
	map_free(&outside->map);
	view_close(&outside->pods);
	view_close(&outside->node);
	router_close(&outside->router);
	free(outside);
}
