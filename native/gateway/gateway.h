/* What the parts of the gateway share. */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "gateway/loop.h"
#include "gateway/options.h"
#include "gateway/pods.h"
#include "gateway/table.h"

struct statistics {
	uint64_t tcp_accepted;
	uint64_t tcp_active;
	uint64_t tcp_retried; /**< connects that went on to another endpoint */
	uint64_t tcp_refused; /**< clients that were reset because no endpoint could be reached */
	uint64_t tcp_over_share; /**< clients that were reset because they had too many */
	uint64_t tcp_proxied; /**< connections by the runner's proxy */
	uint64_t tcp_bytes;
	uint64_t udp_flows;
	uint64_t udp_active;
	uint64_t udp_outside_active;
	uint64_t udp_datagrams;
	uint64_t udp_lost; /**< datagrams that could not be sent on */
	uint64_t echo_requests; /**< ICMP echo, of pods to the outside */
	uint64_t echo_answers;
	uint64_t dns_queries;
	uint64_t dns_active; /**< questions that wait for an upstream */
	uint64_t dns_failed; /**< answered SERVFAIL: no upstream did */
};

struct gateway {
	struct loop loop;
	struct options options;
	struct uplink *uplink;
	struct table table;
	struct pods pods;
	struct statistics statistics;
	struct tcp_relay *tcp;
	struct udp_relay *udp;
	struct udp_outside *outside;
	struct node_addresses *addresses;
	struct redirection *redirection;
	struct control *control; /**< NULL before anybody can have said anything */
};

#endif
