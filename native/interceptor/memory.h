/* Bytes of another process: strings, and the few bytes written below its stack. */
#ifndef INTERCEPTOR_MEMORY_H
#define INTERCEPTOR_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Reads `size` bytes at `address` of some memory: all of them, or returns -errno. */
typedef int (*memory_reader)(void *memory, uint64_t address, void *buffer, size_t size);

/**
 * Reads the string at `address`, page by page: what follows its end need not be mapped.
 * Returns its length, -ENAMETOOLONG if it does not end within `size` bytes, or the reader's error.
 */
ssize_t memory_string(memory_reader read, void *memory, uint64_t address, char *text, size_t size);

/** A memory_reader for the stopped tracee whose id `pid` (a pid_t *) points to. */
int memory_read_tracee(void *pid, uint64_t address, void *buffer, size_t size);

/**
 * Writes into a stopped tracee. `address` and `size` must be multiples of 8.
 * Returns 0 or -errno (-EFAULT, -ESRCH: it vanished).
 */
int memory_write_tracee(pid_t pid, uint64_t address, const void *bytes, size_t size);

#endif
