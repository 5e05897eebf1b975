/*
 * rtnetlink (rtnetlink(7)): messages are built in a fixed buffer, sent one at a time, and answered
 * before the next. Every function that can fail returns -errno.
 */
#ifndef LIB_NETLINK_H
#define LIB_NETLINK_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>

struct netlink_message {
	union {
		struct nlmsghdr header;
		char bytes[1024];
	};
};

/** Begins a message: type, flags besides NLM_F_REQUEST, and the fixed part its type asks for. */
void netlink_begin(struct netlink_message *message, uint16_t type, uint16_t flags, const void *body,
                   size_t size);

/** Appends an attribute. A message that grows beyond its buffer is a programming error: abort. */
void netlink_put(struct netlink_message *message, uint16_t type, const void *data, size_t size);

/** Appends a NUL terminated text as an attribute. */
void netlink_put_text(struct netlink_message *message, uint16_t type, const char *text);

/** Opens a nested attribute, with a fixed part before its own attributes if `size` is not 0. */
struct rtattr *netlink_nest(struct netlink_message *message, uint16_t type, const void *body,
                            size_t size);

/** Closes a nested attribute. */
void netlink_nest_end(struct netlink_message *message, struct rtattr *nest);

/** A socket for requests in the network namespace of the caller, or -errno. */
int netlink_open(void);

/** One in the network namespace whose file is at the path, or -errno. */
int netlink_open_at(const char *path);

/** Sends the message and waits for the kernel's verdict on it: 0 or -errno. */
int netlink_request(int fd, struct netlink_message *message);

/** Called for each message of an answer; a result other than 0 is handed on after its end. */
typedef int netlink_visitor(struct nlmsghdr *header, void *data);

/**
 * The attribute after `previous` (NULL: the first) of a message whose fixed part has `body` bytes;
 * NULL after the last.
 */
struct rtattr *netlink_attribute(struct nlmsghdr *header, size_t body, struct rtattr *previous);

/** Sends the message as a request for one object, and visits the messages of the answer. */
int netlink_get(int fd, struct netlink_message *message, netlink_visitor *visit, void *data);

/** Sends the message as a dump request and visits each message of the answer. */
int netlink_dump(int fd, struct netlink_message *message, netlink_visitor *visit, void *data);

#endif
