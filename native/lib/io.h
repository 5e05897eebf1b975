/* Whole reads and writes. */
#ifndef LIB_IO_H
#define LIB_IO_H

#include <stddef.h>

/** Writes all of it; 0 or -errno. */
int io_write(int fd, const void *data, size_t size);

/**
 * Reads from the descriptor to its end into an allocated, NUL terminated text; *size without the
 * NUL (size may be NULL). Returns 0 or -errno; -EFBIG above `maximum` bytes.
 */
int io_read(int fd, size_t maximum, char **text, size_t *size);

/** The same with the file of the path. */
int io_read_file(const char *path, size_t maximum, char **text, size_t *size);

#endif
