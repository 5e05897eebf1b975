/* Which pod has which address. Pure: store.h keeps it on disk. */
#ifndef CNI_POOL_H
#define CNI_POOL_H

#include "cni/config.h"

#include <netinet/in.h>
#include <stdio.h>

struct lease {
	struct in_addr address;
	const char *container;
	const char *interface;
};

struct pool {
	struct in_addr last; /**< given out last; 0: none yet */
	struct lease *leases;
	size_t count;
};

/**
 * Reads what pool_write wrote; the text is changed and pointed into. Returns 0, -EINVAL with a
 * failure that names the line, or -ENOMEM. Free it in every case.
 */
int pool_read(char *text, struct pool *out, struct failure *failure);

void pool_write(const struct pool *pool, FILE *stream);

void pool_free(struct pool *pool);

/** The lease of the container's interface; NULL when there is none. */
struct lease *pool_find(const struct pool *pool, const char *container, const char *interface);

/**
 * Chooses the free address that follows the one given out last: what was given back is used again
 * as late as possible. -EADDRNOTAVAIL when the subnet has none left.
 */
int pool_choose(const struct pool *pool, const struct config *config, struct in_addr *out);

/** Adds a lease of the address, whose texts must outlive the pool; 0 or -ENOMEM. */
int pool_add(struct pool *pool, struct in_addr address, const char *container,
             const char *interface);

/** Removes the lease, which is one of pool->leases. */
void pool_remove(struct pool *pool, struct lease *lease);

#endif
