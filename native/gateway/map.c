#include "gateway/map.h"

#include <errno.h>
#include <stdlib.h>

/* The finaliser of MurmurHash3: addresses and ports differ in a few bits only. */
static size_t hash(uint64_t key)
{
	key ^= key >> 33;
	key *= 0xff51afd7ed558ccdULL;
	key ^= key >> 33;
	key *= 0xc4ceb9fe1a85ec53ULL;
	key ^= key >> 33;
	return (size_t)key;
}

/* The slot that holds the key, or the free one where it would go. */
static size_t find(const struct map *map, uint64_t key)
{
	size_t mask = map->capacity - 1;
	size_t i = hash(key) & mask;

	while (map->slots[i].value != NULL && map->slots[i].key != key)
		i = (i + 1) & mask;
	return i;
}

void *map_get(const struct map *map, uint64_t key)
{
	return map->capacity == 0 ? NULL : map->slots[find(map, key)].value;
}

static int grow(struct map *map)
{
	struct map bigger = {.capacity = map->capacity == 0 ? 16 : map->capacity * 2,
	                     .count = map->count};

	bigger.slots = calloc(bigger.capacity, sizeof(*bigger.slots));
	if (bigger.slots == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < map->capacity; i++)
		if (map->slots[i].value != NULL)
			bigger.slots[find(&bigger, map->slots[i].key)] = map->slots[i];
	free(map->slots);
	*map = bigger;
	return 0;
}

int map_set(struct map *map, uint64_t key, void *value)
{
	if (map->count * 2 >= map->capacity) {
		int status = grow(map);
		if (status < 0)
			return status;
	}
	struct map_slot *slot = &map->slots[find(map, key)];
	map->count += slot->value == NULL;
	*slot = (struct map_slot){.key = key, .value = value};
	return 0;
}

void *map_remove(struct map *map, uint64_t key)
{
	if (map->capacity == 0)
		return NULL;
	size_t mask = map->capacity - 1;
	size_t hole = find(map, key);
	void *value = map->slots[hole].value;
	if (value == NULL)
		return NULL;
	map->count--;

	/* Close the gap, or look-ups of the keys behind it would end there. */
	for (size_t i = (hole + 1) & mask; map->slots[i].value != NULL; i = (i + 1) & mask) {
		size_t home = hash(map->slots[i].key) & mask;
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			map->slots[hole] = map->slots[i];
			hole = i;
		}
	}
	map->slots[hole].value = NULL;
	return value;
}

void map_free(struct map *map)
{
	free(map->slots);
	*map = (struct map){0};
}
