/* Sockets of other network namespaces. */
#ifndef LIB_NETNS_H
#define LIB_NETNS_H

/**
 * A socket of the network namespace whose file is at the path, closed on exec; the caller stays in its
 * own, and dies if it cannot return to it. Returns the descriptor or -errno.
 */
int netns_socket(const char *path, int domain, int type, int protocol);

#endif
