#include "cni/pool.h"

#include "lib/fields.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int pool_add(struct pool *pool, struct in_addr address, const char *container,
             const char *interface)
{
	struct lease *leases = realloc(pool->leases, (pool->count + 1) * sizeof *leases);

	if (leases == NULL)
		return -ENOMEM;
	leases[pool->count++] = (struct lease){address, container, interface};
	pool->leases = leases;
	pool->last = address;
	return 0;
}

/* A line is "last ADDRESS" or "lease ADDRESS CONTAINER INTERFACE", separated by TABs. */
static int read_line(char *line, struct pool *pool, struct in_addr *last)
{
	char *fields[4];
	struct in_addr address;
	int count = fields_split(line, fields, 4);

	if (count < 2 || inet_pton(AF_INET, fields[1], &address) != 1)
		return -EINVAL;
	if (count == 2 && strcmp(fields[0], "last") == 0) {
		*last = address;
		return 0;
	}
	if (count == 4 && strcmp(fields[0], "lease") == 0)
		return pool_add(pool, address, fields[2], fields[3]);
	return -EINVAL;
}

int pool_read(char *text, struct pool *out, struct failure *failure)
{
	struct in_addr last = {0};
	unsigned int number = 0;

	*out = (struct pool){0};
	while (*text != '\0') {
		char *end = strchr(text, '\n');
		int error;

		number++;
		/* Only whole lines are ever written. */
		if (end == NULL)
			return fail_input(failure, "Bad leases: line %u does not end", number);
		*end = '\0';
		error = read_line(text, out, &last);
		if (error == -ENOMEM)
			return fail(failure, ENOMEM, "hold the leases");
		if (error != 0)
			return fail_input(failure, "Bad leases: line %u is no lease", number);
		text = end + 1;
	}
	out->last = last;
	return 0;
}

void pool_write(const struct pool *pool, FILE *stream)
{
	char address[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &pool->last, address, sizeof address);
	fprintf(stream, "last\t%s\n", address);
	for (size_t i = 0; i < pool->count; i++) {
		const struct lease *lease = &pool->leases[i];

		inet_ntop(AF_INET, &lease->address, address, sizeof address);
		fprintf(stream, "lease\t%s\t%s\t%s\n", address, lease->container, lease->interface);
	}
}

void pool_free(struct pool *pool)
{
	free(pool->leases);
	*pool = (struct pool){0};
}

struct lease *pool_find(const struct pool *pool, const char *container, const char *interface)
{
	for (size_t i = 0; i < pool->count; i++)
		if (strcmp(pool->leases[i].container, container) == 0 &&
		    strcmp(pool->leases[i].interface, interface) == 0)
			return &pool->leases[i];
	return NULL;
}

static bool is_taken(const struct pool *pool, const struct config *config, struct in_addr address)
{
	for (size_t i = 0; i < config->reserved_count; i++)
		if (config->reserved[i].s_addr == address.s_addr)
			return true;
	for (size_t i = 0; i < pool->count; i++)
		if (pool->leases[i].address.s_addr == address.s_addr)
			return true;
	return false;
}

int pool_choose(const struct pool *pool, const struct config *config, struct in_addr *out)
{
	uint32_t network = ntohl(config->subnet.address.s_addr);
	/* Without the first, the network's own by convention, and the last, its broadcast. */
	uint32_t usable = ~cidr_mask(config->subnet.prefix) - 1;
	uint32_t last = ntohl(pool->last.s_addr) - network;
	/* Both count from 0 for the first usable address. */
	uint32_t start = last >= 1 && last <= usable ? last % usable : 0;

	for (uint32_t i = 0; i < usable; i++) {
		struct in_addr address = {htonl(network + 1 + (start + i) % usable)};

		if (!is_taken(pool, config, address)) {
			*out = address;
			return 0;
		}
	}
	return -EADDRNOTAVAIL;
}

void pool_remove(struct pool *pool, struct lease *lease)
{
	size_t after = pool->count - 1 - (size_t)(lease - pool->leases);

	memmove(lease, lease + 1, after * sizeof *lease);
	pool->count--;
}
