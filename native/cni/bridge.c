#include "cni/bridge.h"

#include "cni/gateway.h"
#include "cni/pod.h"
#include "cni/result.h"
#include "cni/store.h"
#include "lib/cleanup.h"
#include "lib/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* A netlink socket where the bridge is: nodes that share a wire have their pods on one. */
static int open_node(const struct config *config, struct cni_error *error)
{
	int fd = config->bridge_netns == NULL ? netlink_open()
	                                      : netlink_open_at(config->bridge_netns);

	if (fd >= 0)
		return fd;
	error->code = CNI_NETWORK;
	return fail(&error->failure, -fd, "open a netlink socket");
}

static int find_bridge(int node, const struct config *config, struct link *out,
                       struct cni_error *error)
{
	int result = link_find(node, config->bridge, out);

	if (result == 0)
		return 0;
	error->code = CNI_NETWORK;
	return fail(&error->failure, -result, "find bridge %s", config->bridge);
}

static int choose(const struct pool *pool, const struct config *config, struct in_addr *out,
                  struct cni_error *error)
{
	char subnet[INET_ADDRSTRLEN];

	if (pool_choose(pool, config, out) == 0)
		return 0;
	inet_ntop(AF_INET, &config->subnet.address, subnet, sizeof subnet);
	/* Again later: a pod that ends gives its address back. */
	error->code = CNI_TRY_AGAIN_LATER;
	return fail_input(&error->failure, "No address is free in %s/%u: %zu are in use", subnet,
	                  config->subnet.prefix, pool->count);
}

static int lease_address(const struct config *config, const struct request *request,
                         struct in_addr *out, struct cni_error *error)
{
	struct store store;
	int result = store_open(config->data_directory, &store, error);

	if (result != 0)
		return result;
	if (pool_find(&store.pool, request->container, request->interface) != NULL) {
		error->code = CNI_DUPLICATE;
		result = fail_input(&error->failure,
		                    "Container %s has an address on %s already: DEL comes first",
		                    request->container, request->interface);
	}
	if (result == 0)
		result = choose(&store.pool, config, out, error);
	if (result == 0 &&
	    pool_add(&store.pool, *out, request->container, request->interface) != 0) {
		error->code = CNI_IO;
		result = fail(&error->failure, ENOMEM, "hold the leases");
	}
	if (result == 0)
		result = store_commit(&store, error);
	store_close(&store);
	return result;
}

static int disconnect(int node, const struct config *config, const char *container,
                      const char *interface, bool *leased, struct cni_error *error)
{
	struct lease *lease;
	struct store store;
	int result = store_open(config->data_directory, &store, error);

	if (result != 0)
		return result;
	lease = pool_find(&store.pool, container, interface);
	*leased = lease != NULL;
	if (lease != NULL) {
		struct pod pod = pod_of(config, lease->address, lease->interface, NULL);

		result = pod_disconnect(node, &pod, error);
	}
	store_close(&store);
	return result;
}

static int free_address(const struct config *config, const char *container, const char *interface,
                        struct cni_error *error)
{
	struct lease *lease;
	struct store store;
	int result = store_open(config->data_directory, &store, error);

	if (result != 0)
		return result;
	lease = pool_find(&store.pool, container, interface);
	if (lease != NULL) {
		pool_remove(&store.pool, lease);
		result = store_commit(&store, error);
	}
	store_close(&store);
	return result;
}

/*
 * Takes back what an ADD gave; `node` is a netlink socket of the node, wherever the caller is now.
 * The lease goes last: an address that is free has no link, and no rule speaks of it. The gateway
 * is told without the store's lock, for which every other ADD and DEL of the node waits.
 */
static int take_back(int node, const struct config *config, const char *container,
                     const char *interface, struct cni_error *error)
{
	bool leased = false;
	int result = disconnect(node, config, container, interface, &leased, error);

	if (result != 0 || !leased)
		return result;
	gateway_detach(config, container);
	return free_address(config, container, interface, error);
}

int bridge_del(const struct config *config, const struct request *request, struct cni_error *error)
{
	cleanup_fd int node = open_node(config, error);

	return node < 0 ? node
	                : take_back(node, config, request->container, request->interface, error);
}

static int connect_pod(int node, const struct link *bridge, struct pod *pod, int netns,
                       struct cni_error *error)
{
	cleanup_fd int inside = -1;
	/* A link of this name is left of an ADD that was killed before its DEL. */
	int result = pod_disconnect(node, pod, error);

	if (result == 0)
		result = pod_connect(node, bridge, pod, netns, error);
	if (result == 0)
		result = inside = pod_enter(netns, pod->netns, error);
	return result < 0 ? result : pod_configure(inside, pod, error);
}

int bridge_add(const struct json *json, const struct config *config, const struct request *request,
               struct cni_error *error)
{
	cleanup_fd int netns = pod_open_netns(request->netns, error), node = -1;
	struct cni_error ignored;
	struct in_addr address;
	struct link bridge;
	struct pod pod;
	int result;

	if (netns < 0)
		return netns;
	node = open_node(config, error);
	result = node < 0 ? node : find_bridge(node, config, &bridge, error);
	if (result == 0)
		result = lease_address(config, request, &address, error);
	if (result != 0)
		return result;
	pod = pod_of(config, address, request->interface, request->netns);
	result = connect_pod(node, &bridge, &pod, netns, error);
	if (result == 0)
		result = gateway_attach(config, request, &pod, error);
	if (result != 0) {
		/* The first error is the one to tell. */
		take_back(node, config, request->container, request->interface, &ignored);
		return result;
	}
	result_print_bridge(stdout, json, config, &bridge, &pod);
	return 0;
}

/* prevResult must have the address that we leased: else another plugin changed it. */
static int check_previous(const struct json *json, const struct pod *pod, struct cni_error *error)
{
	const struct json_value *previous = json_member(json, json->values, "prevResult");
	const struct json_value *ips = json_member(json, previous, "ips");
	char expected[INET_ADDRSTRLEN + 4], address[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &pod->address.address, address, sizeof address);
	snprintf(expected, sizeof expected, "%s/%u", address, pod->address.prefix);
	for (const struct json_value *ip = json_first(json, ips); ip != NULL;
	     ip = json_next(json, ip)) {
		const struct json_value *text = json_member(json, ip, "address");

		if (text != NULL && text->type == JSON_STRING && strcmp(text->text, expected) == 0)
			return 0;
	}
	error->code = previous == NULL ? CNI_INVALID_CONFIG : CNI_CHECK;
	return fail_input(&error->failure, "Bad prevResult: expected it to have the address %s",
	                  expected);
}

/* The address of the container's interface, from the store. */
static int find_address(const struct config *config, const struct request *request,
                        struct in_addr *out, struct cni_error *error)
{
	struct lease *lease;
	struct store store;
	int result = store_open(config->data_directory, &store, error);

	if (result != 0)
		return result;
	lease = pool_find(&store.pool, request->container, request->interface);
	if (lease != NULL) {
		*out = lease->address;
	} else {
		error->code = CNI_CHECK;
		result = fail(&error->failure, ENOENT, "find the address of container %s on %s",
		              request->container, request->interface);
	}
	store_close(&store);
	return result;
}

int bridge_check(const struct json *json, const struct config *config,
                 const struct request *request, struct cni_error *error)
{
	cleanup_fd int node = open_node(config, error), netns = -1, inside = -1;
	struct in_addr address;
	struct link bridge;
	struct pod pod;
	int result = node < 0 ? node : find_bridge(node, config, &bridge, error);

	if (result == 0)
		result = find_address(config, request, &address, error);
	if (result != 0)
		return result;
	pod = pod_of(config, address, request->interface, request->netns);
	result = check_previous(json, &pod, error);
	if (result == 0)
		result = pod_check_port(node, &bridge, &pod, error);
	if (result == 0)
		result = netns = pod_open_netns(request->netns, error);
	if (result >= 0)
		result = inside = pod_enter(netns, request->netns, error);
	return result < 0 ? result : pod_check_inside(inside, &pod, error);
}

static int check_ready(const struct config *config, struct cni_error *error)
{
	const struct cidr gateway = {config->gateway, config->prefix};
	cleanup_fd int node = open_node(config, error);
	struct in_addr address;
	struct store store;
	struct link bridge;
	int result = node < 0 ? node : find_bridge(node, config, &bridge, error);

	if (result != 0)
		return result;
	result = link_has_address(node, 0, &gateway);
	if (result != 0)
		return fail(&error->failure, -result, "find the gateway's address");
	result = store_open(config->data_directory, &store, error);
	if (result != 0)
		return result;
	result = choose(&store.pool, config, &address, error);
	store_close(&store);
	return result;
}

int bridge_status(const struct config *config, struct cni_error *error)
{
	int result = check_ready(config, error);

	error->code = CNI_NOT_AVAILABLE;
	return result;
}

static bool is_text(const struct json_value *value, const char *text)
{
	return value != NULL && value->type == JSON_STRING && strcmp(value->text, text) == 0;
}

static bool is_valid(const struct json *json, const struct json_value *attachments,
                     const struct lease *lease)
{
	for (const struct json_value *item = json_first(json, attachments); item != NULL;
	     item = json_next(json, item))
		if (is_text(json_member(json, item, "containerID"), lease->container) &&
		    is_text(json_member(json, item, "ifname"), lease->interface))
			return true;
	return false;
}

/* A copy of one lease's names that the runtime does not know; both NULL when there is none. */
static int find_stale(const struct json *json, const struct json_value *attachments,
                      const struct config *config, char **container, char **interface,
                      struct cni_error *error)
{
	struct store store;
	int result = store_open(config->data_directory, &store, error);

	if (result != 0)
		return result;
	for (size_t i = 0; i < store.pool.count && *container == NULL; i++) {
		const struct lease *lease = &store.pool.leases[i];

		if (is_valid(json, attachments, lease))
			continue;
		*container = strdup(lease->container);
		*interface = strdup(lease->interface);
		if (*container == NULL || *interface == NULL) {
			error->code = CNI_IO;
			result = fail(&error->failure, ENOMEM, "hold a lease");
			break;
		}
	}
	store_close(&store);
	return result;
}

int bridge_gc(const struct json *json, const struct config *config, struct cni_error *error)
{
	const char *name = "cni.dev/valid-attachments";
	const struct json_value *attachments = json_member(json, json->values, name);
	cleanup_fd int node = -1;

	/* Not having been told what is valid does not mean that nothing is. */
	if (attachments == NULL || attachments->type != JSON_ARRAY) {
		error->code = CNI_INVALID_CONFIG;
		return fail_input(&error->failure,
		                  "Bad network configuration: \"%s\" must be a list", name);
	}
	node = open_node(config, error);
	if (node < 0)
		return node;
	for (;;) {
		cleanup_free char *container = NULL, *interface = NULL;
		int result = find_stale(json, attachments, config, &container, &interface, error);

		if (result != 0 || container == NULL)
			return result;
		result = take_back(node, config, container, interface, error);
		if (result != 0)
			return result;
	}
}
