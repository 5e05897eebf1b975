#include "interceptor/tracees.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 64 };

/* Multiplicative hashing: thread ids are mostly consecutive. */
static size_t home(const struct tracees *tracees, pid_t id)
{
	return ((uint32_t)id * 2654435769U >> 7) & (tracees->capacity - 1);
}

static size_t next(const struct tracees *tracees, size_t slot)
{
	return (slot + 1) & (tracees->capacity - 1);
}

/* The slot that holds the id, or the free one where it would go. */
static size_t slot_of(const struct tracees *tracees, pid_t id)
{
	size_t slot = home(tracees, id);

	while (tracees->slots[slot].id != 0 && tracees->slots[slot].id != id)
		slot = next(tracees, slot);
	return slot;
}

struct tracee *tracees_find(const struct tracees *tracees, pid_t id)
{
	size_t slot;

	if (tracees->count == 0)
		return NULL;
	slot = slot_of(tracees, id);
	return tracees->slots[slot].id == id ? &tracees->slots[slot] : NULL;
}

static bool grow(struct tracees *tracees)
{
	struct tracees larger = {
	    .capacity = tracees->capacity == 0 ? FIRST_CAPACITY : tracees->capacity * 2,
	    .count = tracees->count,
	};

	larger.slots = calloc(larger.capacity, sizeof *larger.slots);
	if (larger.slots == NULL)
		return false;
	for (size_t i = 0; i < tracees->capacity; i++)
		if (tracees->slots[i].id != 0)
			larger.slots[slot_of(&larger, tracees->slots[i].id)] = tracees->slots[i];
	free(tracees->slots);
	*tracees = larger;
	return true;
}

struct tracee *tracees_add(struct tracees *tracees, pid_t id)
{
	struct tracee *known = tracees_find(tracees, id);
	struct tracee *added;

	if (known != NULL)
		return known;
	/* At most half full, so that probing ends soon. */
	if (2 * (tracees->count + 1) > tracees->capacity && !grow(tracees))
		return NULL;
	added = &tracees->slots[slot_of(tracees, id)];
	*added = (struct tracee){.id = id};
	tracees->count++;
	return added;
}

void tracees_drop(struct tracees *tracees, pid_t id)
{
	const struct tracee *found = tracees_find(tracees, id);
	size_t hole, slot;

	if (found == NULL)
		return;
	hole = (size_t)(found - tracees->slots);
	/* Those that come after and were pushed past the hole move back into it. */
	for (slot = next(tracees, hole); tracees->slots[slot].id != 0; slot = next(tracees, slot)) {
		size_t mask = tracees->capacity - 1;
		size_t wanted = home(tracees, tracees->slots[slot].id);

		if (((slot - wanted) & mask) >= ((slot - hole) & mask)) {
			tracees->slots[hole] = tracees->slots[slot];
			hole = slot;
		}
	}
	tracees->slots[hole] = (struct tracee){0};
	tracees->count--;
}

void tracees_free(struct tracees *tracees)
{
	free(tracees->slots);
	*tracees = (struct tracees){0};
}
