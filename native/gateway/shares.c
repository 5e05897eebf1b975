#include "gateway/shares.h"

#include <stdlib.h>

struct share *shares_of(const struct shares *shares, uint32_t address)
{
	return map_get(&shares->by_address, address);
}

static struct share *add(struct shares *shares, uint32_t address)
{
	struct share *share = calloc(1, sizeof(*share));

	if (share == NULL)
		return NULL;
	share->address = address;
	list_init(&share->members);
	if (map_set(&shares->by_address, address, share) < 0) {
		free(share);
		return NULL;
	}
	return share;
}

struct share *shares_join(struct shares *shares, uint32_t address, struct list *member)
{
	struct share *share = shares_of(shares, address);

	if (share == NULL)
		share = add(shares, address);
	if (share == NULL)
		return NULL;
	list_append(&share->members, member);
	share->count++;
	return share;
}

void shares_leave(struct shares *shares, struct share *share, struct list *member)
{
	list_remove(member);
	if (--share->count > 0)
		return;
	map_remove(&shares->by_address, share->address);
	free(share);
}

size_t shares_most(const struct options *options, uint32_t client, size_t limit)
{
	if (options_is_node(options, client) || !network_contains(&options->pod_cidr, client))
		return SIZE_MAX;
	return limit / 4;
}

void shares_free(struct shares *shares)
{
	map_free(&shares->by_address);
}
