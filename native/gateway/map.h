/* A hash map from 64-bit keys to pointers: open addressing, grown by doubling. */
#ifndef GATEWAY_MAP_H
#define GATEWAY_MAP_H

#include <stddef.h>
#include <stdint.h>

struct map_slot {
	uint64_t key;
	void *value; /**< NULL: the slot is free */
};

/** Zero-initialised, it is an empty map. */
struct map {
	struct map_slot *slots;
	size_t capacity; /**< 0 or a power of two */
	size_t count;
};

/** The value of the key, or NULL. */
void *map_get(const struct map *map, uint64_t key);

/** Sets the value (not NULL) of the key. Returns 0 or -ENOMEM. */
int map_set(struct map *map, uint64_t key, void *value);

/** Takes the key out; returns the value it had, or NULL. */
void *map_remove(struct map *map, uint64_t key);

/** Gives back the slots; the values are the caller's. */
void map_free(struct map *map);

#endif
