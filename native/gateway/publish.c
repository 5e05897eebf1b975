#include "gateway/publish.h"

#include <errno.h>

int publish_open(struct gateway *gateway, struct published_ports *ports, struct failure *failure)
{
	const struct options *options = &gateway->options;

	ports->count = 0;
	for (size_t i = 0; i < options->published_count; i++) {
		const struct published *published = &options->published[i];
		const struct frontend_key key = {PROTOCOL_TCP, published->outer};
		char text[ENDPOINT_TEXT_SIZE];

		tcp_listener_init(gateway, &ports->listeners[i]);
		ports->listeners[i].published = true;
		ports->frontends[i] = frontend_create(key, SIDE_INSIDE, &published->inner, 1);
		ports->count++;
		int status = ports->frontends[i] == NULL
		                 ? -ENOMEM
		                 : tcp_listener_open(&ports->listeners[i], true, published->outer,
		                                     ports->frontends[i]);
		if (status < 0)
			return fail(failure, -status, "listen on %s of the runner",
			            endpoint_format(published->outer, text));
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
