#include "gateway/proxy.h"

#include "lib/test/tap.h"

#include <errno.h>
#include <string.h>

#define PLACE 0x08080808
#define EXEMPT 0x0a090001
#define METADATA 0xa9fea9fe

static void ways(void)
{
	static const struct {
		bool proxy;
		enum way preferred;
		uint32_t address;
		enum way ways[3];
		const char *what;
	} table[] = {
	    {false, WAY_DIRECT, PLACE, {WAY_DIRECT, WAY_NONE, WAY_NONE}, "no proxy: directly"},
	    {true, WAY_DIRECT, PLACE, {WAY_DIRECT, WAY_PROXY, WAY_NONE}, "a proxy: after that"},
	    {true, WAY_PROXY, PLACE, {WAY_PROXY, WAY_DIRECT, WAY_NONE}, "or before, if it worked"},
	    {true, WAY_PROXY, EXEMPT, {WAY_DIRECT, WAY_NONE, WAY_NONE}, "of NO_PROXY: directly"},
	    {true, WAY_PROXY, METADATA, {WAY_DIRECT, WAY_NONE, WAY_NONE},
	     "the proxy's own neighbours are not ours"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct options options = {0};

		if (table[i].proxy)
			options.proxy = (struct endpoint){0x0a000001, 3128};
		cidr_parse("10.9.0.0/16", &options.unproxied[options.unproxied_count++]);
		for (size_t attempt = 0; attempt < 3; attempt++)
			check_number(proxy_way(&options, table[i].preferred, attempt,
			                       table[i].address),
			             table[i].ways[attempt], table[i].what);
	}
}

static void requests(void)
{
	const struct endpoint place = {PLACE, 443};
	struct options options = {0};
	char text[PROXY_REQUEST_MAX], secret[PROXY_REQUEST_MAX];

	check(proxy_request(&options, place, text) == (ssize_t)strlen(text), "its size");
	check_text(text, "CONNECT 8.8.8.8:443 HTTP/1.1\r\nHost: 8.8.8.8:443\r\n\r\n",
	           "without credentials");
	options.proxy_authorization = "Basic bWU6cHc=";
	proxy_request(&options, place, text);
	check_text(text,
	           "CONNECT 8.8.8.8:443 HTTP/1.1\r\nHost: 8.8.8.8:443\r\n"
	           "Proxy-Authorization: Basic bWU6cHc=\r\n\r\n",
	           "with credentials");
	memset(secret, 'x', sizeof(secret) - 1);
	secret[sizeof(secret) - 1] = '\0';
	options.proxy_authorization = secret;
	check_number((long)proxy_request(&options, place, text), -ENAMETOOLONG, "too long");
}

static void replies(void)
{
	static const struct {
		const char *bytes;
		long size;
		const char *what;
	} table[] = {
	    {"", 0, "nothing yet"},
	    {"HTT", 0, "the beginning"},
	    {"HTTP/1.1 200 Connection established\r\n", 0, "not all of it"},
	    {"HTTP/1.1 200 Connection established\r\n\r\n", 39, "a tunnel"},
	    {"HTTP/1.0 200\r\nVia: a\r\n\r\nhello", 24, "and what the server says first"},
	    {"HTTP/1.1 403 Forbidden\r\n\r\n", -ECONNREFUSED, "forbidden"},
	    {"HTTP/1.1 407 Who?\r\nX: y\r\n\r\n", -ECONNREFUSED, "not without credentials"},
	    {"HTTP/1.\r\n\r\n", -EPROTO, "without a version"},
	    {"HTTP/1.1\r\n\r\n", -EPROTO, "without a status"},
	    {"SSH-2.0", -EPROTO, "another protocol"},
	    {"\x15\x03\x01", -EPROTO, "TLS"},
	};
	char longest[PROXY_REPLY_MAX];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		check_number((long)proxy_reply(table[i].bytes, strlen(table[i].bytes)),
		             table[i].size, table[i].what);
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "HTTP/1.1 200 ", 13);
	check_number((long)proxy_reply(longest, sizeof(longest)), -EPROTO, "one without an end");
}

int main(void)
{
	ways();
	requests();
	replies();
	return tap_done();
}
