#include "gateway/echo.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/echo_packet.h"
#include "gateway/log.h"
#include "gateway/node_addresses.h"
#include "gateway/policy.h"
#include "gateway/socket.h"
#include "gateway/udp_outside.h"
#include "gateway/uplink.h"
#include "lib/uplink.h"

/* Requests whose answers are known for whom they are; older ones are forgotten. */
#define REQUESTS 4096
#define PACKET_MAX UINT16_MAX

/* Packets of one socket before the others have their turn. */
#define TURN 64

/* Who asked; its number outside is its place. */
struct request {
	uint32_t pod; /* 0: nobody, or answered already */
	uint32_t place;
	uint16_t id;
	uint16_t sequence;
};

struct echo {
	struct gateway *gateway;
	struct source pods;    /* is shown what they ask */
	struct source outside; /* asks, and is answered */
	int packets;           /* answers them */
	struct request requests[REQUESTS];
	uint16_t next;
	unsigned char received[PACKET_MAX];
	unsigned char written[PACKET_MAX];
};

/*
 * From a pod, to where neither the cluster nor the node is. Any process that may make raw packets may
 * write another pod's address into them, so while it matters who sends, nobody is believed.
 */
static bool may_ask(const struct gateway *gateway, const struct echo_packet *packet)
{
	return !gateway->pods.isolates_egress &&
	       packet->source != gateway->options.bridge_address &&
	       network_contains(&gateway->options.pod_cidr, packet->source) &&
	       address_is_outside(gateway, packet->destination) &&
	       policy_allows_outside(gateway, packet->source, packet->destination);
}

/* One socket asks for all pods: its questions are told apart by their sequence numbers. */
static void ask(struct echo *echo, struct echo_packet *packet)
{
	uint16_t number = echo->next++;
	const struct sockaddr_in place =
	    endpoint_to_socket((struct endpoint){.address = packet->destination});

	echo->requests[number % REQUESTS] = (struct request){
	    .pod = packet->source,
	    .place = packet->destination,
	    .id = packet->id,
	    .sequence = packet->sequence,
	};
	packet->sequence = number;
	size_t size = echo_packet_write_request(packet, echo->written, sizeof(echo->written));
	/* What does not get out is lost, as on any network. */
	if (size > 0)
		sendto(echo->outside.fd, echo->written, size, 0, (const struct sockaddr *)&place,
		       sizeof(place));
	echo->gateway->statistics.echo_requests++;
}

/*
 * A packet that came by the node's link. Each is also seen on the bridge: no nat rule is asked about
 * ICMP, and gVisor binds a raw socket to no link before it has an address (HandlePacket(),
 * pkg/tcpip/transport/raw/endpoint.go). Returns its size, 0 for one of another link, or -1.
 */
static ssize_t receive(struct echo *echo)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control;
	struct iovec part = {.iov_base = echo->received, .iov_len = sizeof(echo->received)};
	struct msghdr message = {.msg_iov = &part,
	                         .msg_iovlen = 1,
	                         .msg_control = &control,
	                         .msg_controllen = sizeof(control)};
	ssize_t size = recvmsg(echo->pods.fd, &message, 0);
	const struct cmsghdr *header = size < 0 ? NULL : CMSG_FIRSTHDR(&message);
	struct in_pktinfo info = {0};

	if (size < 0)
		return -1;
	if (header != NULL && header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO)
		memcpy(&info, CMSG_DATA(header), sizeof(info));
	return (unsigned)info.ipi_ifindex == (unsigned)echo->gateway->addresses->link ? size : 0;
}

static void pods_ready(struct source *source, uint32_t events)
{
	struct echo *echo = list_object(source, struct echo, pods);
	struct echo_packet packet;

	(void)events;
	for (int i = 0; i < TURN; i++) {
		ssize_t size = receive(echo);
		if (size < 0)
			return;
		if (echo_packet_read(echo->received, (size_t)size, &packet) &&
		    may_ask(echo->gateway, &packet))
			ask(echo, &packet);
	}
}

static void answer(struct echo *echo, struct echo_packet *packet, uint32_t from)
{
	struct request *request = &echo->requests[packet->sequence % REQUESTS];
	const struct sockaddr_in pod =
	    endpoint_to_socket((struct endpoint){.address = request->pod});

	if (request->pod == 0 || request->place != from)
		return;
	packet->source = from;
	packet->destination = request->pod;
	packet->id = request->id;
	packet->sequence = request->sequence;
	request->pod = 0;
	size_t size = echo_packet_write_answer(packet, echo->written, sizeof(echo->written));
	if (size > 0 && sendto(echo->packets, echo->written, size, 0, (const struct sockaddr *)&pod,
	                       sizeof(pod)) >= 0)
		echo->gateway->statistics.echo_answers++;
}

static void outside_ready(struct source *source, uint32_t events)
{
	struct echo *echo = list_object(source, struct echo, outside);

	(void)events;
	for (int i = 0; i < TURN; i++) {
		struct echo_packet packet;
		struct sockaddr_in from;
		socklen_t from_size = sizeof(from);
		ssize_t size = recvfrom(source->fd, echo->received, sizeof(echo->received), 0,
		                        (struct sockaddr *)&from, &from_size);
		if (size < 0 && errno == EAGAIN)
			return;
		/* An error is of an earlier request, whose answer will not come. */
		if (size >= 0 &&
		    echo_packet_read_answer(echo->received, (size_t)size, &packet))
			answer(echo, &packet, ntohl(from.sin_addr.s_addr));
	}
}

static int watch(struct echo *echo, struct source *source, int fd)
{
	return fd < 0 ? fd : loop_watch(&echo->gateway->loop, source, fd, EPOLLIN);
}

static int open_raw(int protocol)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);

	return fd < 0 ? -errno : fd;
}

/* It is told by which link a packet came. */
static int open_pods(void)
{
	const int on = 1;
	int fd = open_raw(IPPROTO_ICMP);

	if (fd >= 0 && setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) < 0) {
		int status = -errno;
		close(fd);
		return status;
	}
	return fd;
}

static int open_all(struct echo *echo)
{
	struct gateway *gateway = echo->gateway;

	/* Linux's raw sockets are not shown what is on its way to others, and its nodes forward. */
	if (!udp_outside_is_shown(gateway->outside))
		return 0;
	int outside = uplink_socket(gateway->uplink, UPLINK_ECHO);
	if (outside < 0) {
		log_failure(-outside, "make a socket for ICMP echo outside: pods do not ping it");
		return 0;
	}
	int status = watch(echo, &echo->outside, outside);
	if (status == 0)
		status = echo->packets = open_raw(IPPROTO_RAW);
	return status < 0 ? status : watch(echo, &echo->pods, open_pods());
}

struct echo *echo_open(struct gateway *gateway, struct failure *failure)
{
	struct echo *echo = calloc(1, sizeof(*echo));

	if (echo == NULL) {
		fail(failure, ENOMEM, "relay ICMP echo");
		return NULL;
	}
	echo->gateway = gateway;
	echo->packets = -1;
	source_init(&echo->pods, pods_ready);
	source_init(&echo->outside, outside_ready);
	int status = open_all(echo);
	if (status == 0)
		return echo;
	fail(failure, -status, "open sockets for ICMP echo");
	echo_close(echo);
	return NULL;
}

void echo_close(struct echo *echo)
{
	loop_close(&echo->gateway->loop, &echo->pods);
	loop_close(&echo->gateway->loop, &echo->outside);
	if (echo->packets >= 0)
		close(echo->packets);
	free(echo);
}
