/*
 * The other nodes: agents whose links are on the same bridge, each in a network namespace of its own,
 * where frontends of its address are listened on.
 */
#ifndef GATEWAY_NODES_H
#define GATEWAY_NODES_H

#include <sys/types.h>

#include "gateway/gateway.h"

struct nodes {
	struct gateway *gateway;
	struct deadline_queue looks;
	struct deadline look;
	struct {
		dev_t device;
		ino_t inode;
		bool complete; /**< all of them were; a namespace comes before its address does */
	} seen[NODES_MAX]; /**< the namespace that its frontends were opened in */
};

/**
 * Looks, now and then, whether a node came, or came back in another namespace: then all it listens on is
 * opened there.
 */
void nodes_open(struct gateway *gateway, struct nodes *nodes);
void nodes_close(struct nodes *nodes);

#endif
