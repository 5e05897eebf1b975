/* Passing of file descriptors over a unix socket that keeps message boundaries (unix(7)). */
#ifndef LIB_DESCRIPTOR_H
#define LIB_DESCRIPTOR_H

#include <stddef.h>

/** Sends the data and, unless it is -1, the descriptor, without waiting; 0 or -errno. */
int descriptor_send(int socket, const void *data, size_t size, int fd);

/**
 * Receives one message of exactly `size` bytes and the descriptor that came with it (close on
 * exec; -1 if there was none). Returns 0, -errno, -ECONNRESET at the end of the stream, or
 * -EBADMSG for a message of another size.
 */
int descriptor_receive(int socket, void *data, size_t size, int *fd);

#endif
