/*
 * What the controller has told the gateway: which frontends there are and which endpoints stand
 * behind each. Decisions only; sockets are the business of service.h.
 */
#ifndef GATEWAY_TABLE_H
#define GATEWAY_TABLE_H

#include <stdint.h>

#include "gateway/endpoint.h"
#include "gateway/list.h"
#include "gateway/map.h"

enum protocol { PROTOCOL_TCP, PROTOCOL_UDP };

/** Where an endpoint's sockets are made. */
enum side {
	SIDE_BY_ADDRESS, /**< in the node's namespace if the pod network holds it, else outside */
	SIDE_INSIDE,     /**< the node's network namespace */
	SIDE_OUTSIDE,    /**< the runner's network namespace */
};

/** Address 0 is a node port: every address of the node, and 127.0.0.1 of the runner. */
struct frontend_key {
	enum protocol protocol;
	struct endpoint address;
};

/**
 * Counted: connections on their way to an endpoint hold one, so that it outlives its removal from
 * the table for as long as they need it.
 */
struct frontend {
	struct frontend_key key;
	enum side side;
	struct endpoint *endpoints;
	size_t endpoint_count;
	uint32_t affinity_seconds; /**< 0: none */
	unsigned references;
	struct list node;       /**< in table.frontends */
	struct list refused;    /**< in redirection.refused while it has no endpoints */
	uint64_t generation;    /**< of the transaction that last set it */
	size_t cursor;          /**< round robin: the next endpoint's index */
	struct map affinities;  /**< client address -> struct affinity */
	void *service;          /**< what service.h keeps for it */
};

struct table {
	struct map by_key;
	struct list frontends;
	uint64_t generation;
};

void table_init(struct table *table);

/** A frontend that is in no table, with one reference; takes a copy of the endpoints. */
struct frontend *frontend_create(struct frontend_key key, enum side side,
                                 const struct endpoint *endpoints, size_t count);
void frontend_release(struct frontend *frontend);

/** The frontend of the key, or NULL. */
struct frontend *table_find(const struct table *table, struct frontend_key key);

/**
 * Makes the frontend exist with exactly these endpoints, in the table's present generation.
 * Returns it (the table holds the reference), or NULL when out of memory, the table unchanged.
 */
struct frontend *table_set(struct table *table, struct frontend_key key, uint32_t affinity_seconds,
                           const struct endpoint *endpoints, size_t count);

/** Takes the frontend out of the table and gives up the table's reference. */
void table_remove(struct table *table, struct frontend *frontend);

/** A new generation: what is not set again in it is stale. */
void table_begin(struct table *table);

/** Some frontend of an older generation, or NULL. */
struct frontend *table_stale(const struct table *table);

/**
 * The index of the endpoint for a new connection of this client (address in host byte order): the
 * one it had if the frontend has affinity, else the next in turn. `now` in milliseconds.
 * endpoint_count must not be 0.
 */
size_t frontend_choose(struct frontend *frontend, uint32_t client, int64_t now);

/** Notes that the client was connected to this endpoint, for a frontend with affinity. */
void frontend_remember(struct frontend *frontend, uint32_t client, struct endpoint endpoint,
                       int64_t now);

bool frontend_has(const struct frontend *frontend, struct endpoint endpoint);

#endif
