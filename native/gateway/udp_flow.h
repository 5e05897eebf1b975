/*
 * What UDP relays have in common: flows, which end when they were silent for long enough, of which
 * there are at most so many, and of those at most so many of one pod.
 */
#ifndef GATEWAY_UDP_FLOW_H
#define GATEWAY_UDP_FLOW_H

#include "gateway/gateway.h"
#include "gateway/shares.h"

/** Milliseconds of silence that end a flow, as Linux's conntrack has them: a question and its answer
 * are soon over, a conversation may pause. */
#define UDP_QUESTION_TIMEOUT 30000
#define UDP_CONVERSATION_TIMEOUT 120000

struct udp_flows {
	struct gateway *gateway;
	struct deadline_queue questions;
	struct deadline_queue conversations;
	struct shares shares;
	size_t limit;
	uint64_t *count; /**< the statistic of how many there are */
};

/** Lives at the beginning of what a relay keeps for it. */
struct udp_flow {
	struct garbage garbage;
	struct source source; /**< connected to the other end */
	struct udp_flows *flows;
	struct share *share;
	struct list member;
	struct deadline deadline;
	void (*forget)(struct udp_flow *flow); /**< takes it out of its relay's map */
	bool answered;
	bool conversation; /**< the client went on after an answer */
};

void udp_flows_init(struct udp_flows *flows, struct gateway *gateway, size_t limit,
                    uint64_t *count);

/** Ends all. */
void udp_flows_end(struct udp_flows *flows);

/** The pod of the address is gone, and so are its flows. */
void udp_flows_forget(struct udp_flows *flows, uint32_t address);

/**
 * Makes room for one more of the client: the flow goes that was silent longest, of the client's own
 * where it has its share, else of all.
 */
void udp_flows_make_room(struct udp_flows *flows, uint32_t client);

/** Zero-initialised before; `ready` hears of answers. Returns 0, or -ENOMEM, and then it is nothing. */
int udp_flow_begin(struct udp_flow *flow, struct udp_flows *flows, uint32_t client,
                   void (*ready)(struct source *, uint32_t), void (*forget)(struct udp_flow *));

/** Connects its socket, in the runner's namespace if `outside`. Returns 0 or -errno. */
int udp_flow_connect(struct udp_flow *flow, bool outside, struct endpoint to);

/** Something was said: by the client, or by the other end. */
void udp_flow_asked(struct udp_flow *flow);
void udp_flow_answered(struct udp_flow *flow);

void udp_flow_end(struct udp_flow *flow);

#endif
