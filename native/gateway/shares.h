/*
 * What one pod may have of what all of them use: connections, flows, questions. Members are linked
 * by their pod, the one that was silent longest first.
 */
#ifndef GATEWAY_SHARES_H
#define GATEWAY_SHARES_H

#include <stdint.h>

#include "gateway/list.h"
#include "gateway/map.h"
#include "gateway/options.h"

struct share {
	uint32_t address;
	size_t count;
	struct list members;
	bool told; /**< that it is used up */
};

/** Zero-initialised, nobody has anything. */
struct shares {
	struct map by_address;
};

/** Adds the member to what the address has. NULL when out of memory. */
struct share *shares_join(struct shares *shares, uint32_t address, struct list *member);

/** Takes it out; forgets the address once it has nothing. */
void shares_leave(struct shares *shares, struct share *share, struct list *member);

/** What the address has, or NULL: nothing. */
struct share *shares_of(const struct shares *shares, uint32_t address);

/** The most that a client may have of so many: all, but for pods, which have a quarter each. */
size_t shares_most(const struct options *options, uint32_t client, size_t limit);

void shares_free(struct shares *shares);

#endif
