/* IPv4 addresses with a prefix length, such as 10.42.0.1/24. */
#ifndef LIB_CIDR_H
#define LIB_CIDR_H

#include <netinet/in.h>
#include <stdint.h>

struct cidr {
	struct in_addr address; /**< as written, host bits included */
	uint8_t prefix;         /**< 0..32 */
};

/** Reads "a.b.c.d/n"; -EINVAL if it is not exactly that. */
int cidr_parse(const char *text, struct cidr *out);

/** The prefix as a mask, in host byte order. */
uint32_t cidr_mask(uint8_t prefix);

#endif
