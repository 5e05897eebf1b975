#include "gateway/nodes.h"

#include <sys/stat.h>

#include "gateway/service.h"

/* Milliseconds. Nothing tells of a mount that came, and what is told too early is told again. */
#define LOOK_DELAY 1000

/* Returns whether all of them are open. */
static bool open_all(struct gateway *gateway, uint32_t address, bool anew)
{
	struct list *frontends = &gateway->table.frontends;
	struct failure failure;
	bool complete = true;

	for (struct list *at = frontends->next; at != frontends; at = at->next) {
		struct frontend *frontend = list_object(at, struct frontend, node);
		if (frontend->key.address.address != address)
			continue;
		if (anew)
			service_close(gateway, frontend);
		if (service_sync(gateway, frontend, &failure) < 0)
			complete = false;
	}
	return complete;
}

static void look(struct nodes *nodes)
{
	const struct options *options = &nodes->gateway->options;
	struct stat found;

	for (size_t i = 0; i < options->node_count; i++) {
		if (stat(options->nodes[i].netns, &found) < 0)
			continue;
		const bool anew = found.st_dev != nodes->seen[i].device ||
		                  found.st_ino != nodes->seen[i].inode;
		if (!anew && nodes->seen[i].complete)
			continue;
		nodes->seen[i].device = found.st_dev;
		nodes->seen[i].inode = found.st_ino;
		nodes->seen[i].complete =
		    open_all(nodes->gateway, options->nodes[i].address, anew);
	}
	deadline_set(&nodes->gateway->loop, &nodes->looks, &nodes->look);
}

static void expired(struct deadline *deadline)
{
	look(list_object(deadline, struct nodes, look));
}

void nodes_open(struct gateway *gateway, struct nodes *nodes)
{
	nodes->gateway = gateway;
	deadline_queue_init(&gateway->loop, &nodes->looks, LOOK_DELAY);
	deadline_init(&nodes->look, expired);
	if (gateway->options.node_count > 0)
		look(nodes);
}

void nodes_close(struct nodes *nodes)
{
	deadline_clear(&nodes->look);
	deadline_queue_end(&nodes->looks);
}
