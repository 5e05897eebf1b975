/*
 * The runner's HTTP proxy, as a way for TCP to the outside: which way an attempt takes, and what is
 * said to the proxy (RFC 9110, 9.3.6, CONNECT). Pure.
 */
#ifndef GATEWAY_PROXY_H
#define GATEWAY_PROXY_H

#include <sys/types.h>

#include "gateway/options.h"

/** What a proxy says before the tunnel begins has at most so many bytes. */
#define PROXY_REPLY_MAX 4096
#define PROXY_REQUEST_MAX 2048

enum way {
	WAY_DIRECT,
	WAY_PROXY,
	WAY_NONE,
};

/** Whether the address may be reached by the proxy: one is set, and is not to be passed by for it. */
bool proxy_serves(const struct options *options, uint32_t address);

/** The way of an attempt, counted from 0, to get to an address outside; WAY_NONE: no other is left. */
enum way proxy_way(const struct options *options, enum way preferred, size_t attempt,
                   uint32_t address);

/** Writes what asks for a tunnel, into PROXY_REQUEST_MAX bytes. Returns its size, or -ENAMETOOLONG. */
ssize_t proxy_request(const struct options *options, struct endpoint destination, char *out);

/**
 * Reads what the proxy answered so far. Returns the size of the answer, behind which the tunnel
 * begins; 0: more is to come; -ECONNREFUSED: the proxy does not; -EPROTO: that is no proxy.
 */
ssize_t proxy_reply(const char *bytes, size_t size);

#endif
