#include "gateway/udp_flow.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "gateway/socket.h"

void udp_flows_init(struct udp_flows *flows, struct gateway *gateway, size_t limit,
                    uint64_t *count)
{
	*flows = (struct udp_flows){.gateway = gateway, .limit = limit, .count = count};
	deadline_queue_init(&gateway->loop, &flows->questions, UDP_QUESTION_TIMEOUT);
	deadline_queue_init(&gateway->loop, &flows->conversations, UDP_CONVERSATION_TIMEOUT);
}

static void end_oldest(struct udp_flows *flows)
{
	struct list *oldest = list_empty(&flows->questions.deadlines)
	                          ? flows->conversations.deadlines.next
	                          : flows->questions.deadlines.next;

	udp_flow_end(
	    list_object(list_object(oldest, struct deadline, node), struct udp_flow, deadline));
}

void udp_flows_end(struct udp_flows *flows)
{
	while (!list_empty(&flows->questions.deadlines) ||
	       !list_empty(&flows->conversations.deadlines))
		end_oldest(flows);
	deadline_queue_end(&flows->questions);
	deadline_queue_end(&flows->conversations);
	shares_free(&flows->shares);
}

static void end_oldest_of(struct share *share)
{
	udp_flow_end(list_object(share->members.next, struct udp_flow, member));
}

void udp_flows_forget(struct udp_flows *flows, uint32_t address)
{
	for (struct share *share; (share = shares_of(&flows->shares, address)) != NULL;)
		end_oldest_of(share);
}

void udp_flows_make_room(struct udp_flows *flows, uint32_t client)
{
	struct share *share = shares_of(&flows->shares, client);

	if (share != NULL && share->count >= shares_most(&flows->gateway->options, client, flows->limit))
		end_oldest_of(share);
	else if (*flows->count >= flows->limit)
		end_oldest(flows);
}

static void flow_expired(struct deadline *deadline)
{
	udp_flow_end(list_object(deadline, struct udp_flow, deadline));
}

int udp_flow_begin(struct udp_flow *flow, struct udp_flows *flows, uint32_t client,
                   void (*ready)(struct source *, uint32_t), void (*forget)(struct udp_flow *))
{
	flow->flows = flows;
	flow->forget = forget;
	source_init(&flow->source, ready);
	deadline_init(&flow->deadline, flow_expired);
	list_init(&flow->member);
	flow->share = shares_join(&flows->shares, client, &flow->member);
	if (flow->share == NULL)
		return -ENOMEM;
	++*flows->count;
	return 0;
}

int udp_flow_connect(struct udp_flow *flow, bool outside, struct endpoint to)
{
	struct gateway *gateway = flow->flows->gateway;
	int fd = socket_open(gateway, outside, SOCK_DGRAM);

	if (fd < 0)
		return fd;
	int status = socket_connect(fd, to);
	if (status < 0) {
		close(fd);
		return status;
	}
	return loop_watch(&gateway->loop, &flow->source, fd, EPOLLIN);
}

static void alive(struct udp_flow *flow)
{
	struct udp_flows *flows = flow->flows;

	deadline_set(&flows->gateway->loop,
	             flow->conversation ? &flows->conversations : &flows->questions,
	             &flow->deadline);
	list_remove(&flow->member);
	list_append(&flow->share->members, &flow->member);
}

void udp_flow_asked(struct udp_flow *flow)
{
	flow->conversation = flow->conversation || flow->answered;
	alive(flow);
}

void udp_flow_answered(struct udp_flow *flow)
{
	flow->answered = true;
	alive(flow);
}

void udp_flow_end(struct udp_flow *flow)
{
	struct udp_flows *flows = flow->flows;

	flow->forget(flow);
	deadline_clear(&flow->deadline);
	loop_close(&flows->gateway->loop, &flow->source);
	shares_leave(&flows->shares, flow->share, &flow->member);
	loop_free(&flows->gateway->loop, &flow->garbage);
	--*flows->count;
}
