#include "gateway/nodes.h"

#include <sys/stat.h>

#include "gateway/log.h"
#include "gateway/service.h"

/* Milliseconds. Nothing tells of a mount that came, and what is told too early is told again. */
#define LOOK_DELAY 1000

static void open_again(struct gateway *gateway, uint32_t address)
{
	struct list *frontends = &gateway->table.frontends;
	struct failure failure;

	for (struct list *at = frontends->next; at != frontends; at = at->next) {
		struct frontend *frontend = list_object(at, struct frontend, node);
		if (frontend->key.address.address != address)
			continue;
		service_close(gateway, frontend);
		if (service_sync(gateway, frontend, &failure) < 0)
			log_line("%s", failure.message);
	}
}

static void look(struct nodes *nodes)
{
	const struct options *options = &nodes->gateway->options;
	struct stat found;

	for (size_t i = 0; i < options->node_count; i++) {
		if (stat(options->nodes[i].netns, &found) < 0 ||
		    (found.st_dev == nodes->seen[i].device && found.st_ino == nodes->seen[i].inode))
			continue;
		nodes->seen[i].device = found.st_dev;
		nodes->seen[i].inode = found.st_ino;
		open_again(nodes->gateway, options->nodes[i].address);
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
