#include "gateway/options.h"

#include "lib/test/tap.h"

#include <errno.h>

#define MANDATORY                                                                                  \
	"gateway", "--control", "/run/gateway.sock", "--bridge", "cni0",                          \
	    "--bridge-address", "10.42.0.1",                                                       \
	    "--pod-cidr", "10.42.0.0/16", "--service-cidr", "10.43.0.0/16"

static int parse(const char *const *argv, struct options *options, struct failure *failure)
{
	int argc = 0;

	while (argv[argc] != NULL)
		argc++;
	return options_parse(argc, argv, options, failure);
}

static void good(void)
{
	const char *argv[] = {MANDATORY,
	                      "--dns-upstream",
	                      "127.0.0.11",
	                      "--dns-upstream",
	                      "10.0.0.2:5353",
	                      "--publish",
	                      "127.0.0.1:6444=127.0.0.1:6443",
	                      "--borrow",
	                      "127.0.0.1:5000=127.0.0.1:5001",
	                      "--deny-outside",
	                      "169.254.0.0/16",
	                      "--deny-outside",
	                      "0.0.0.0/0",
	                      "--proxy",
	                      "10.0.0.3:3128",
	                      "--no-proxy",
	                      "10.0.0.0/8",
	                      "--node",
	                      "10.42.1.1=/run/netns/agent-1",
	                      NULL};
	struct options options;
	struct failure failure;

	check_number(parse(argv, &options, &failure), 0, "a full command line is read");
	check_text(options.control, "/run/gateway.sock", "--control");
	check_number((long)options.bridge_address, 0x0a2a0001, "--bridge-address");
	check(options.dns_upstream_count == 2 && options.dns_upstreams[0].port == 53 &&
	          options.dns_upstreams[1].port == 5353,
	      "--dns-upstream, port 53 unless told otherwise");
	check(options.published_count == 2 && options.published[0].outer.port == 6444 &&
	          options.published[0].inner.port == 6443 && !options.published[0].outward,
	      "--publish");
	check(options.published[1].inner.port == 5000 && options.published[1].outer.port == 5001 &&
	          options.published[1].outward,
	      "--borrow");
	check(options.denied_count == 2 && options.denied[0].prefix == 16 &&
	          options.denied[1].prefix == 0,
	      "--deny-outside");
	check(options.proxy.address == 0x0a000003 && options.proxy.port == 3128 &&
	          options.unproxied_count == 1 && options.unproxied[0].prefix == 8,
	      "--proxy and --no-proxy");
	const struct other_node *node = options_node(&options, 0x0a2a0101);
	check(node != NULL && options_node(&options, 0x0a2a0001) == NULL, "--node");
	check_text(node->netns, "/run/netns/agent-1", "its namespace");
	check(options_is_node(&options, 0x0a2a0101) && options_is_node(&options, 0x0a2a0001) &&
	          !options_is_node(&options, 0x0a2a0102),
	      "who is a node");
}

static void bad(void)
{
	static const struct {
		const char *argv[16];
		const char *message;
	} table[] = {
	    {{"gateway", "--control", "x", NULL},
	     "--bridge is missing: must be the name of a link"},
	    {{MANDATORY, "--verbose", NULL}, "Unknown option '--verbose'"},
	    {{MANDATORY, "--publish", NULL},
	     "--publish lacks its value: must be OUTERIP:PORT=INNERIP:PORT, at most 64 times"},
	    {{MANDATORY, "--publish", "1.2.3.4:5", NULL},
	     "Bad --publish '1.2.3.4:5': must be OUTERIP:PORT=INNERIP:PORT, at most 64 times"},
	    {{MANDATORY, "--borrow", "127.0.0.1:5000", NULL},
	     "Bad --borrow '127.0.0.1:5000': must be INNERIP:PORT=OUTERIP:PORT, with --publish at most 64 times"},
	    {{MANDATORY, "--dns-upstream", "fe80::1", NULL},
	     "Bad --dns-upstream 'fe80::1': must be IP or IP:PORT, at most 8 times"},
	    {{MANDATORY, "--node", "10.42.1.1=netns", NULL},
	     "Bad --node '10.42.1.1=netns': must be IP=NETNS, at most 9 times"},
	    {{MANDATORY, "--pod-cidr", "10.42.0.0", NULL},
	     "Bad --pod-cidr '10.42.0.0': must be an IPv4 network such as 10.42.0.0/16"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct options options;
		struct failure failure = {0};

		check_number(parse(table[i].argv, &options, &failure), -EINVAL, table[i].message);
		check_text(failure.message, table[i].message, "is what it says");
	}
}

int main(void)
{
	good();
	bad();
	return tap_done();
}
