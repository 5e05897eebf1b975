#include "lib/cidr.h"

#include "lib/number.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

int cidr_parse(const char *text, struct cidr *out)
{
	char address[INET_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	unsigned long prefix;

	if (slash == NULL || (size_t)(slash - text) >= sizeof address)
		return -EINVAL;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (inet_pton(AF_INET, address, &out->address) != 1)
		return -EINVAL;
	if (number_parse(slash + 1, 10, 32, &prefix) != 0)
		return -EINVAL;
	out->prefix = (uint8_t)prefix;
	return 0;
}

uint32_t cidr_mask(uint8_t prefix)
{
	return prefix == 0 ? 0 : UINT32_MAX << (32 - prefix);
}
