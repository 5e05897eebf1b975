#include "gateway/proxy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* 169.254.0.0/16 is never forwarded: behind a proxy it is the proxy's own neighbours. */
#define LINK_LOCAL 0xa9fe

bool proxy_serves(const struct options *options, uint32_t address)
{
	if (options->proxy.port == 0 || address >> 16 == LINK_LOCAL)
		return false;
	for (size_t i = 0; i < options->unproxied_count; i++)
		if (network_contains(&options->unproxied[i], address))
			return false;
	return true;
}

enum way proxy_way(const struct options *options, enum way preferred, size_t attempt,
                   uint32_t address)
{
	if (!proxy_serves(options, address))
		return attempt == 0 ? WAY_DIRECT : WAY_NONE;
	if (attempt > 1)
		return WAY_NONE;
	return (preferred == WAY_PROXY) == (attempt == 0) ? WAY_PROXY : WAY_DIRECT;
}

ssize_t proxy_request(const struct options *options, struct endpoint destination, char *out)
{
	const char *credentials = options->proxy_authorization;
	char place[ENDPOINT_TEXT_SIZE];

	endpoint_format(destination, place);
	int size = snprintf(out, PROXY_REQUEST_MAX, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n",
	                    place, place, credentials == NULL ? "" : "Proxy-Authorization: ",
	                    credentials == NULL ? "" : credentials,
	                    credentials == NULL ? "" : "\r\n");
	return size < PROXY_REQUEST_MAX ? size : -ENAMETOOLONG;
}

ssize_t proxy_reply(const char *bytes, size_t size)
{
	static const char version[] = "HTTP/1.";
	static const char end[] = "\r\n\r\n";
	/* As much of the first line as tells: "HTTP/1.1 200". */
	const size_t status = sizeof(version) + 1;
	const char *behind = memmem(bytes, size, end, sizeof(end) - 1);
	size_t known = size < sizeof(version) - 1 ? size : sizeof(version) - 1;

	if (memcmp(bytes, version, known) != 0 || (behind == NULL && size >= PROXY_REPLY_MAX))
		return -EPROTO;
	if (behind == NULL)
		return 0;
	if ((size_t)(behind - bytes) <= status || bytes[status - 1] != ' ')
		return -EPROTO;
	return bytes[status] == '2' ? behind + sizeof(end) - 1 - bytes : -ECONNREFUSED;
}
