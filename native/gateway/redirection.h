/* The nat rules in force, and where they lead: to the gateway's own listener, or to nobody. */
#ifndef GATEWAY_REDIRECTION_H
#define GATEWAY_REDIRECTION_H

#include "gateway/direct.h"
#include "gateway/gateway.h"
#include "gateway/tcp_relay.h"
#include "lib/failure.h"

struct redirection {
	struct gateway *gateway;
	struct tcp_listener accepting;
	int refusing;        /**< a socket that has its port and does not listen */
	struct list refused; /**< frontends without endpoints */
	bool changed;        /**< since the rules were written */
	struct deadline_queue retries;
	struct deadline retry; /**< while they could not be */
	struct direct_uses uses; /**< of the node's own processes, and of pods on its network */
	struct iptables_rule *written;
	size_t written_count;
};

/** Listens and writes the rules; sets gateway->redirection. Returns 0, or -errno with the failure noted. */
int redirection_open(struct gateway *gateway, struct redirection *redirection,
                     struct failure *failure);

/** Takes the rules away, then the listener. */
void redirection_close(struct redirection *redirection);

/**
 * Notes that connections to the frontend are to be refused, or no longer. They are accepted and
 * reset where there are more such frontends than rules.
 */
void redirection_refuse(struct redirection *redirection, struct frontend *frontend, bool refuse);

/** Notes that the frontends changed, and with them perhaps the node's own direct paths. */
void redirection_changed(struct redirection *redirection);

/** Notes that somebody on the node used the frontend by the relay. */
void redirection_used(struct redirection *redirection, struct frontend_key key);

/** Writes the rules anew if something was noted; a failure is logged, and tried again. */
void redirection_apply(struct redirection *redirection);

#endif
