#include "gateway/publish.h"

#include <errno.h>

int publish_open(struct gateway *gateway, struct published_ports *ports, struct failure *failure)
{
	const struct options *options = &gateway->options;

	ports->count = 0;
	for (size_t i = 0; i < options->published_count; i++) {
		const struct published *published = &options->published[i];
		const bool outward = published->outward;
		const struct endpoint from = outward ? published->inner : published->outer;
		const struct endpoint to = outward ? published->outer : published->inner;
		const struct frontend_key key = {PROTOCOL_TCP, from};
		char text[ENDPOINT_TEXT_SIZE];

		tcp_listener_init(gateway, &ports->listeners[i]);
		ports->listeners[i].published = !outward;
		ports->frontends[i] =
		    frontend_create(key, outward ? SIDE_OUTSIDE : SIDE_INSIDE, &to, 1);
		ports->count++;
		int status = ports->frontends[i] == NULL
		                 ? -ENOMEM
		                 : tcp_listener_open(&ports->listeners[i], !outward, from,
		                                     ports->frontends[i]);
		if (status < 0)
			return fail(failure, -status, "listen on %s of the %s",
			            endpoint_format(from, text), outward ? "node" : "runner");
	}
	return 0;
}

void publish_close(struct published_ports *ports)
{
	for (size_t i = 0; i < ports->count; i++) {
		tcp_listener_close(&ports->listeners[i]);
		if (ports->frontends[i] != NULL)
			frontend_release(ports->frontends[i]);
	}
}
