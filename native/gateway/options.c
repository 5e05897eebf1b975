#include "gateway/options.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#define DNS_PORT 53

static int parse_control(const char *value, struct options *options)
{
	options->control = value;
	return 0;
}

static int parse_bridge(const char *value, struct options *options)
{
	options->bridge = value;
	return value[0] != '\0' && strlen(value) < IF_NAMESIZE ? 0 : -1;
}

static int parse_address(const char *text, uint32_t *out)
{
	struct in_addr address;

	if (inet_pton(AF_INET, text, &address) != 1)
		return -1;
	*out = ntohl(address.s_addr);
	return 0;
}

static int parse_bridge_address(const char *value, struct options *options)
{
	return parse_address(value, &options->bridge_address);
}

static int parse_router(const char *value, struct options *options)
{
	return parse_address(value, &options->router);
}

static int parse_pod_cidr(const char *value, struct options *options)
{
	return cidr_parse(value, &options->pod_cidr);
}

static int parse_service_cidr(const char *value, struct options *options)
{
	return cidr_parse(value, &options->service_cidr);
}

static int parse_dns_upstream(const char *value, struct options *options)
{
	if (options->dns_upstream_count == DNS_UPSTREAMS_MAX)
		return -1;
	struct endpoint *upstream = &options->dns_upstreams[options->dns_upstream_count++];
	if (strchr(value, ':') != NULL)
		return endpoint_parse(value, upstream);
	upstream->port = DNS_PORT;
	return parse_address(value, &upstream->address);
}

static int parse_pair(const char *value, struct endpoint *first, struct endpoint *second)
{
	char text[ENDPOINT_TEXT_SIZE];
	const char *equals = strchr(value, '=');

	if (equals == NULL || (size_t)(equals - value) >= sizeof(text))
		return -1;
	memcpy(text, value, (size_t)(equals - value));
	text[equals - value] = '\0';
	if (endpoint_parse(text, first) != 0)
		return -1;
	return endpoint_parse(equals + 1, second);
}

static int parse_publish(const char *value, struct options *options)
{
	if (options->published_count == PUBLISHED_MAX)
		return -1;
	struct published *published = &options->published[options->published_count++];
	return parse_pair(value, &published->outer, &published->inner);
}

static int parse_borrow(const char *value, struct options *options)
{
	if (options->published_count == PUBLISHED_MAX)
		return -1;
	struct published *published = &options->published[options->published_count++];
	published->outward = true;
	return parse_pair(value, &published->inner, &published->outer);
}

static int parse_deny_outside(const char *value, struct options *options)
{
	if (options->denied_count == DENIED_MAX)
		return -1;
	return cidr_parse(value, &options->denied[options->denied_count++]);
}

static int parse_proxy(const char *value, struct options *options)
{
	return endpoint_parse(value, &options->proxy);
}

static int parse_no_proxy(const char *value, struct options *options)
{
	if (options->unproxied_count == UNPROXIED_MAX)
		return -1;
	return cidr_parse(value, &options->unproxied[options->unproxied_count++]);
}

static int parse_node(const char *value, struct options *options)
{
	char text[INET_ADDRSTRLEN];
	const char *equals = strchr(value, '=');

	if (options->node_count == NODES_MAX || equals == NULL || equals[1] != '/' ||
	    (size_t)(equals - value) >= sizeof(text))
		return -1;
	memcpy(text, value, (size_t)(equals - value));
	text[equals - value] = '\0';
	struct other_node *node = &options->nodes[options->node_count++];
	node->netns = equals + 1;
	return parse_address(text, &node->address);
}

static int parse_direct(const char *value, struct options *options)
{
	options->direct = strcmp(value, "on") == 0;
	return options->direct || strcmp(value, "off") == 0 ? 0 : -1;
}

static const struct option {
	const char *name;
	int (*parse)(const char *value, struct options *options);
	const char *form;
	bool required;
} table[] = {
    {"--control", parse_control, "the path of a socket", true},
    {"--bridge", parse_bridge, "the name of a link", true},
    {"--bridge-address", parse_bridge_address, "an IPv4 address", true},
    {"--router", parse_router, "an IPv4 address", false},
    {"--pod-cidr", parse_pod_cidr, "an IPv4 network such as 10.42.0.0/16", true},
    {"--service-cidr", parse_service_cidr, "an IPv4 network such as 10.43.0.0/16", true},
    {"--direct", parse_direct, "on or off", false},
    {"--dns-upstream", parse_dns_upstream, "IP or IP:PORT, at most 8 times", false},
    {"--publish", parse_publish, "OUTERIP:PORT=INNERIP:PORT, at most 64 times", false},
    {"--borrow", parse_borrow, "INNERIP:PORT=OUTERIP:PORT, with --publish at most 64 times", false},
    {"--deny-outside", parse_deny_outside,
     "an IPv4 network such as 169.254.0.0/16, at most 64 times", false},
    {"--proxy", parse_proxy, "IP:PORT", false},
    {"--no-proxy", parse_no_proxy, "an IPv4 network such as 10.0.0.0/8, at most 256 times", false},
    {"--node", parse_node, "IP=NETNS, at most 9 times", false},
};
#define OPTION_COUNT (sizeof(table) / sizeof(table[0]))

static const struct option *find(const char *name)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (strcmp(name, table[i].name) == 0)
			return &table[i];
	return NULL;
}

const struct other_node *options_node(const struct options *options, uint32_t address)
{
	for (size_t i = 0; i < options->node_count; i++)
		if (options->nodes[i].address == address)
			return &options->nodes[i];
	return NULL;
}

bool options_is_node(const struct options *options, uint32_t address)
{
	return address == options->bridge_address || options_node(options, address) != NULL;
}

int options_parse(int argc, const char *const *argv, struct options *options, struct failure *failure)
{
	bool seen[OPTION_COUNT] = {false};

	*options = (struct options){0};
	for (int i = 1; i < argc; i += 2) {
		const struct option *option = find(argv[i]);
		if (option == NULL)
			return fail_input(failure, "Unknown option '%.64s'", argv[i]);
		if (i + 1 == argc)
			return fail_input(failure, "%s lacks its value: must be %s", option->name,
			                  option->form);
		if (option->parse(argv[i + 1], options) != 0)
			return fail_input(failure, "Bad %s '%.64s': must be %s", option->name,
			                  argv[i + 1], option->form);
		seen[option - table] = true;
	}
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (table[i].required && !seen[i])
			return fail_input(failure, "%s is missing: must be %s", table[i].name,
			                  table[i].form);
	return 0;
}
