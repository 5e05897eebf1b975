#include "gateway/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/number.h"

int endpoint_parse(const char *text, struct endpoint *out)
{
	char address[INET_ADDRSTRLEN];
	const char *colon = strchr(text, ':');
	struct in_addr parsed;
	unsigned long port;

	if (colon == NULL || (size_t)(colon - text) >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, (size_t)(colon - text));
	address[colon - text] = '\0';
	if (inet_pton(AF_INET, address, &parsed) != 1)
		return -EINVAL;
	if (number_parse(colon + 1, 10, UINT16_MAX, &port) != 0 || port == 0)
		return -EINVAL;
	*out = (struct endpoint){.address = ntohl(parsed.s_addr), .port = (uint16_t)port};
	return 0;
}

const char *endpoint_format(struct endpoint endpoint, char out[ENDPOINT_TEXT_SIZE])
{
	snprintf(out, ENDPOINT_TEXT_SIZE, "%u.%u.%u.%u:%u", endpoint.address >> 24,
	         endpoint.address >> 16 & 255, endpoint.address >> 8 & 255, endpoint.address & 255,
	         endpoint.port);
	return out;
}

bool endpoint_equal(struct endpoint a, struct endpoint b)
{
	return a.address == b.address && a.port == b.port;
}

bool network_contains(const struct cidr *network, uint32_t address)
{
	return ((ntohl(network->address.s_addr) ^ address) & cidr_mask(network->prefix)) == 0;
}

bool address_is_unicast(uint32_t address)
{
	uint32_t first = address >> 24;

	return first != 0 && first != IN_LOOPBACKNET && first < 224;
}

struct sockaddr_in endpoint_to_socket(struct endpoint endpoint)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
	                            .sin_port = htons(endpoint.port),
	                            .sin_addr.s_addr = htonl(endpoint.address)};
}

struct endpoint endpoint_from_socket(const struct sockaddr_in *address)
{
	return (struct endpoint){.address = ntohl(address->sin_addr.s_addr),
	                         .port = ntohs(address->sin_port)};
}
