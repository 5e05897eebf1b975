/* The pool on disk: one file, replaced as a whole, under a lock. */
#ifndef CNI_STORE_H
#define CNI_STORE_H

#include "cni/pool.h"

#include <limits.h>

struct store {
	int directory; /**< descriptor; -1 when not open */
	int lock;      /**< descriptor that holds the lock */
	char *text;    /**< what the pool's texts point into */
	struct pool pool;
	char path[PATH_MAX];
};

/**
 * Opens the store, makes its directory if it is missing, and waits for the lock, which is held
 * until store_close. Returns 0, or -errno with the error filled in.
 */
int store_open(const char *directory, struct store *store, struct cni_error *error);

/** Writes the pool: what a crash leaves is the old file or the new one. 0 or -errno, as above. */
int store_commit(struct store *store, struct cni_error *error);

/** Gives the lock back. What was changed and not committed is lost. */
void store_close(struct store *store);

#endif
