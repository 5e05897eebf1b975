#include "gateway/service.h"

#include <errno.h>
#include <stdlib.h>

#include "gateway/node_addresses.h"
#include "gateway/redirection.h"
#include "gateway/tcp_relay.h"
#include "gateway/udp_relay.h"

#define LOOPBACK 0x7f000001

/* Where a frontend listens: node ports in up to three places, others in fewer. */
#define PLACES_MAX 3

struct place {
	bool outside;
	uint32_t address; /* host byte order */
};

struct service {
	struct garbage garbage;
	union {
		struct tcp_listener tcp[PLACES_MAX];
		struct udp_listener udp[PLACES_MAX];
	};
	bool has_address; /* the frontend's address was added to the node's */
};

/* Of the machine itself: the node's loopback, and the runner's, which stands for it. */
static bool is_loopback(uint32_t address)
{
	return address >> 24 == IN_LOOPBACKNET;
}

/*
 * TCP to any address but the node's own comes through the nat rules and needs no listener. UDP
 * listens on single addresses, not on 0.0.0.0, so that answers leave from the right one.
 */
static size_t places(const struct gateway *gateway, struct frontend_key key,
                     struct place out[PLACES_MAX])
{
	uint32_t bridge = gateway->options.bridge_address;
	uint32_t address = key.address.address;
	size_t count = 0;

	if (address == 0) {
		if (key.protocol == PROTOCOL_UDP) {
			out[count++] = (struct place){.address = bridge};
			out[count++] = (struct place){.address = LOOPBACK};
		} else {
			out[count++] = (struct place){.address = INADDR_ANY};
		}
		out[count++] = (struct place){.outside = true, .address = LOOPBACK};
	} else if (is_loopback(address)) {
		out[count++] = (struct place){.address = address};
		out[count++] = (struct place){.outside = true, .address = address};
	} else if (key.protocol == PROTOCOL_UDP ||
	           network_contains(&gateway->options.pod_cidr, address)) {
		out[count++] = (struct place){.address = address};
	}
	return count;
}

/* An address of the pod network is the bridge's, or a pod's and not to be taken from it. */
static bool needs_address(const struct gateway *gateway, struct frontend_key key)
{
	return key.protocol == PROTOCOL_UDP && key.address.address != 0 &&
	       !is_loopback(key.address.address) &&
	       !network_contains(&gateway->options.pod_cidr, key.address.address);
}

static struct service *create(struct gateway *gateway, enum protocol protocol)
{
	struct service *service = calloc(1, sizeof(*service));

	for (size_t i = 0; service != NULL && i < PLACES_MAX; i++) {
		if (protocol == PROTOCOL_TCP)
			tcp_listener_init(gateway, &service->tcp[i]);
		else
			udp_listener_init(gateway, &service->udp[i]);
	}
	return service;
}

static int open_place(struct service *service, size_t i, struct place place,
                      struct frontend *frontend)
{
	const struct endpoint address = {.address = place.address,
	                                 .port = frontend->key.address.port};

	if (frontend->key.protocol == PROTOCOL_UDP) {
		if (service->udp[i].source.fd >= 0) {
			udp_listener_prune(&service->udp[i]);
			return 0;
		}
		return udp_listener_open(&service->udp[i], place.outside, address, frontend);
	}
	if (service->tcp[i].source.fd >= 0)
		return 0;
	return tcp_listener_open(&service->tcp[i], place.outside, address, frontend);
}

static int add_address(struct gateway *gateway, struct frontend *frontend, struct failure *failure)
{
	struct service *service = frontend->service;
	char text[ENDPOINT_TEXT_SIZE];

	if (service->has_address || !needs_address(gateway, frontend->key))
		return 0;
	int status = node_addresses_add(gateway->addresses, frontend->key.address.address);
	if (status < 0)
		return fail(failure, -status, "add the address of %s to the node",
		            endpoint_format(frontend->key.address, text));
	service->has_address = true;
	return 0;
}

static void close_places(struct service *service, enum protocol protocol)
{
	for (size_t i = 0; i < PLACES_MAX; i++) {
		if (protocol == PROTOCOL_TCP)
			tcp_listener_close(&service->tcp[i]);
		else
			udp_listener_close(&service->udp[i]);
	}
}

void service_close(struct gateway *gateway, struct frontend *frontend)
{
	struct service *service = frontend->service;

	redirection_refuse(gateway->redirection, frontend, false);
	if (service == NULL)
		return;
	close_places(service, frontend->key.protocol);
	if (service->has_address)
		node_addresses_remove(gateway->addresses, frontend->key.address.address);
	loop_free(&gateway->loop, &service->garbage);
	frontend->service = NULL;
}

int service_sync(struct gateway *gateway, struct frontend *frontend, struct failure *failure)
{
	struct place where[PLACES_MAX];
	size_t count = places(gateway, frontend->key, where);

	if (count == 0) {
		redirection_refuse(gateway->redirection, frontend, frontend->endpoint_count == 0);
		return 0;
	}
	if (frontend->service == NULL)
		frontend->service = create(gateway, frontend->key.protocol);
	if (frontend->service == NULL)
		return fail(failure, ENOMEM, "listen for a Service");
	int result = add_address(gateway, frontend, failure);
	if (result < 0)
		return result;
	if (frontend->endpoint_count == 0) {
		close_places(frontend->service, frontend->key.protocol);
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		const struct endpoint address = {.address = where[i].address,
		                                 .port = frontend->key.address.port};
		char text[ENDPOINT_TEXT_SIZE];
		int status = open_place(frontend->service, i, where[i], frontend);
		if (status < 0)
			result = fail(failure, -status, "listen on %s%s",
			              endpoint_format(address, text),
			              where[i].outside ? " of the runner" : "");
	}
	return result;
}
