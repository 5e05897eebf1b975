/* What the two halves of the TCP relay share: one finds a server, the other moves bytes. */
#ifndef GATEWAY_TCP_CONNECTION_H
#define GATEWAY_TCP_CONNECTION_H

#include "gateway/gateway.h"
#include "gateway/proxy.h"
#include "gateway/shares.h"

/** One of the two sockets of a connection. */
struct end {
	struct source source;
	struct connection *connection;
	char *pending; /**< read from the other end, not yet written here */
	size_t pending_begin;
	size_t pending_size;
	bool readable; /**< a read may succeed: edge-triggered, so it is remembered */
	bool writable;
	bool hung_up; /**< the peer has sent its FIN, whether or not it was read */
	bool ended;   /**< the FIN was read */
	bool shut;    /**< the FIN was passed on here */
	bool failed;  /**< reset by the peer, or the peer is gone: nothing reaches it any more */
	bool gone;    /**< the peer is, and what it said is not yet passed on */
};

struct connection {
	struct garbage garbage;
	struct gateway *gateway;
	struct list node; /**< in tcp_relay.connections */
	struct share *share; /**< of the client */
	struct list member;
	struct end client;
	struct end server;
	bool established; /**< to the server */
	enum way way;     /**< to a place outside */
	bool asked;       /**< the proxy, for a tunnel */
	struct deadline deadline; /**< for the server to answer; then for tcp_tune(); then to wind up */
	int64_t give_up; /**< once an end has failed: how long the other one is waited for */

	/* On the way to the server. */
	struct frontend *frontend; /**< NULL: straight to the destination, outside */
	struct endpoint destination;
	uint32_t client_address;
	size_t first; /**< index of the endpoint that was tried first */
	size_t attempts;
};

/** Notes what epoll says of an end. */
void tcp_note(struct end *end, uint32_t events);

/** Moves what can be moved both ways, of an established connection, and ends it where it is over. */
void tcp_pump(struct connection *connection);

/** The end's peer is gone without a word: as if it had reset the connection. */
void tcp_end_is_gone(struct end *end);

/** Asks peers that are silent whether they are still there. */
void tcp_tune(const struct connection *connection);

/** Closes the socket; the peer sees an RST, not an orderly end, if `reset`. */
void tcp_end_close(struct gateway *gateway, struct end *end, bool reset);

/** Ends the connection, for both peers alike. */
void tcp_finish(struct connection *connection, bool reset);

/** For tcp_pump(): calls it again a moment later. */
void tcp_pump_later(struct connection *connection);

#endif
