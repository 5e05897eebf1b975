/* Releases that happen at the end of a scope, on every path out of it. */
#ifndef LIB_CLEANUP_H
#define LIB_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_release(void *pointer)
{
	free(*(void **)pointer);
}

/** `cleanup_fd int fd = -1;` is closed when it goes out of scope. */
#define cleanup_fd __attribute__((cleanup(cleanup_close)))
/** `cleanup_free char *text = NULL;` is freed when it goes out of scope. */
#define cleanup_free __attribute__((cleanup(cleanup_release)))

/** Hands out *fd and keeps the end of the scope from closing it. */
static inline int steal_fd(int *fd)
{
	int stolen = *fd;
	*fd = -1;
	return stolen;
}

#endif
