#include "gateway/table.h"

#include <stdlib.h>
#include <string.h>

struct affinity {
	struct endpoint endpoint;
	int64_t last_used; /* milliseconds */
};

static uint64_t pack(struct frontend_key key)
{
	return (uint64_t)key.address.address << 32 | (uint64_t)key.address.port << 8 |
	       (uint64_t)key.protocol;
}

static struct endpoint *copy_endpoints(const struct endpoint *endpoints, size_t count)
{
	/* One more than needed: calloc(0) may return NULL without having failed. */
	struct endpoint *copy = calloc(count + 1, sizeof(*copy));

	if (copy != NULL && count > 0)
		memcpy(copy, endpoints, count * sizeof(*copy));
	return copy;
}

void table_init(struct table *table)
{
	*table = (struct table){0};
	list_init(&table->frontends);
}

struct frontend *frontend_create(struct frontend_key key, enum side side,
                                 const struct endpoint *endpoints, size_t count)
{
	struct frontend *frontend = calloc(1, sizeof(*frontend));

	if (frontend == NULL)
		return NULL;
	*frontend = (struct frontend){.key = key,
	                              .side = side,
	                              .endpoints = copy_endpoints(endpoints, count),
	                              .endpoint_count = count,
	                              .references = 1};
	list_init(&frontend->node);
	list_init(&frontend->refused);
	if (frontend->endpoints == NULL) {
		free(frontend);
		return NULL;
	}
	return frontend;
}

static void forget_affinities(struct frontend *frontend)
{
	for (size_t i = 0; i < frontend->affinities.capacity; i++)
		free(frontend->affinities.slots[i].value);
	map_free(&frontend->affinities);
}

void frontend_release(struct frontend *frontend)
{
	if (--frontend->references > 0)
		return;
	forget_affinities(frontend);
	free(frontend->endpoints);
	free(frontend);
}

struct frontend *table_find(const struct table *table, struct frontend_key key)
{
	return map_get(&table->by_key, pack(key));
}

static struct frontend *add(struct table *table, struct frontend_key key,
                            const struct endpoint *endpoints, size_t count)
{
	struct frontend *frontend = frontend_create(key, SIDE_BY_ADDRESS, endpoints, count);

	if (frontend == NULL)
		return NULL;
	if (map_set(&table->by_key, pack(key), frontend) < 0) {
		frontend_release(frontend);
		return NULL;
	}
	list_append(&table->frontends, &frontend->node);
	return frontend;
}

struct frontend *table_set(struct table *table, struct frontend_key key, uint32_t affinity_seconds,
                           const struct endpoint *endpoints, size_t count)
{
	struct frontend *frontend = table_find(table, key);

	if (frontend == NULL) {
		frontend = add(table, key, endpoints, count);
		if (frontend == NULL)
			return NULL;
	} else {
		struct endpoint *copy = copy_endpoints(endpoints, count);
		if (copy == NULL)
			return NULL;
		free(frontend->endpoints);
		frontend->endpoints = copy;
		frontend->endpoint_count = count;
	}
	if (affinity_seconds == 0)
		forget_affinities(frontend);
	frontend->affinity_seconds = affinity_seconds;
	frontend->generation = table->generation;
	return frontend;
}

void table_remove(struct table *table, struct frontend *frontend)
{
	map_remove(&table->by_key, pack(frontend->key));
	list_remove(&frontend->node);
	frontend_release(frontend);
}

void table_begin(struct table *table)
{
	table->generation++;
}

struct frontend *table_stale(const struct table *table)
{
	for (struct list *node = table->frontends.next; node != &table->frontends;
	     node = node->next) {
		struct frontend *frontend = list_object(node, struct frontend, node);
		if (frontend->generation != table->generation)
			return frontend;
	}
	return NULL;
}

static bool index_of(const struct frontend *frontend, struct endpoint endpoint, size_t *index)
{
	for (size_t i = 0; i < frontend->endpoint_count; i++) {
		if (endpoint_equal(frontend->endpoints[i], endpoint)) {
			*index = i;
			return true;
		}
	}
	return false;
}

bool frontend_has(const struct frontend *frontend, struct endpoint endpoint)
{
	size_t index;

	return index_of(frontend, endpoint, &index);
}

size_t frontend_choose(struct frontend *frontend, uint32_t client, int64_t now)
{
	if (frontend->affinity_seconds > 0) {
		struct affinity *affinity = map_get(&frontend->affinities, client);
		size_t index;
		if (affinity != NULL &&
		    now - affinity->last_used < (int64_t)frontend->affinity_seconds * 1000 &&
		    index_of(frontend, affinity->endpoint, &index))
			return index;
	}
	return frontend->cursor++ % frontend->endpoint_count;
}

void frontend_remember(struct frontend *frontend, uint32_t client, struct endpoint endpoint,
                       int64_t now)
{
	if (frontend->affinity_seconds == 0)
		return;
	struct affinity *affinity = map_get(&frontend->affinities, client);
	if (affinity == NULL) {
		affinity = calloc(1, sizeof(*affinity));
		/* Out of memory, the client merely gets whichever endpoint is next. */
		if (affinity == NULL || map_set(&frontend->affinities, client, affinity) < 0) {
			free(affinity);
			return;
		}
	}
	*affinity = (struct affinity){.endpoint = endpoint, .last_used = now};
}
