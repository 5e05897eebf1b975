#include "cni/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

const char *const cni_versions[] = {"0.3.1", "0.4.0", "1.0.0", CNI_NEWEST_VERSION, NULL};

/* The position among cni_versions, -1 if it is not there. */
static int version_rank(const char *version)
{
	for (int i = 0; cni_versions[i] != NULL; i++)
		if (strcmp(cni_versions[i], version) == 0)
			return i;
	return -1;
}

bool config_version_at_least(const struct config *config, const char *version)
{
	return version_rank(config->version) >= version_rank(version);
}

static int invalid(struct cni_error *error, int result)
{
	error->code = CNI_INVALID_CONFIG;
	return result;
}

/* The member as a text that is not empty; NULL, with the error filled in, for anything else. */
static const char *read_text(const struct json *json, const char *name, struct cni_error *error)
{
	const struct json_value *member = json_member(json, json->values, name);

	if (member != NULL && member->type == JSON_STRING && *member->text != '\0')
		return member->text;
	invalid(error,
	        fail_input(&error->failure,
	                   "Bad network configuration: \"%s\" must be a string and not empty",
	                   name));
	return NULL;
}

static int read_address(const char *name, const char *text, struct in_addr *out,
                        struct cni_error *error)
{
	if (inet_pton(AF_INET, text, out) == 1)
		return 0;
	return invalid(error, fail_input(&error->failure, "Bad \"%s\" %s: expected an IPv4 address",
	                                 name, text));
}

static int read_subnet(const char *name, const char *text, struct cidr *out,
                       struct cni_error *error)
{
	if (cidr_parse(text, out) == 0 && out->prefix <= 30 &&
	    (ntohl(out->address.s_addr) & ~cidr_mask(out->prefix)) == 0)
		return 0;
	return invalid(
	    error,
	    fail_input(&error->failure,
	               "Bad \"%s\" %s: expected one such as 10.42.0.0/24, at most /30", name, text));
}

static int read_reserved(const struct json *json, struct config *out, struct cni_error *error)
{
	const struct json_value *list = json_member(json, json->values, "reserved");

	out->reserved[out->reserved_count++] = out->gateway;
	if (list != NULL && list->type != JSON_ARRAY)
		return invalid(error, fail_input(&error->failure,
		                                 "Bad \"reserved\": expected a list of addresses"));
	for (const struct json_value *item = json_first(json, list); item != NULL;
	     item = json_next(json, item)) {
		int result;

		if (out->reserved_count == CONFIG_RESERVED)
			return invalid(error, fail_input(&error->failure,
			                                 "Bad \"reserved\": at most %d addresses",
			                                 CONFIG_RESERVED - 1));
		result = read_address("reserved", item->type == JSON_STRING ? item->text : "",
		                      &out->reserved[out->reserved_count++], error);
		if (result != 0)
			return result;
	}
	return 0;
}

/* A text that may be missing: NULL then. */
static int read_optional(const struct json *json, const char *name, const char **out,
                         struct cni_error *error)
{
	*out = NULL;
	if (json_member(json, json->values, name) == NULL)
		return 0;
	*out = read_text(json, name, error);
	return *out == NULL ? -EINVAL : 0;
}

/* The network whose part the subnet is, where nodes share one; else the subnet itself. */
static int read_network(const struct json *json, struct config *out, struct cni_error *error)
{
	const char *text;
	struct cidr network;
	int result = read_optional(json, "network", &text, error);

	out->prefix = out->subnet.prefix;
	if (result != 0 || text == NULL)
		return result;
	result = read_subnet("network", text, &network, error);
	if (result != 0)
		return result;
	if (network.prefix > out->subnet.prefix ||
	    (ntohl(out->subnet.address.s_addr) & cidr_mask(network.prefix)) !=
	        ntohl(network.address.s_addr))
		return invalid(error, fail_input(&error->failure,
		                                 "Bad \"network\" %s: the subnet is not in it",
		                                 text));
	out->prefix = network.prefix;
	return 0;
}

static int read_bridge(const struct json *json, struct config *out, struct cni_error *error)
{
	const char *subnet = read_text(json, "subnet", error);
	const char *gateway = subnet == NULL ? NULL : read_text(json, "gateway", error);
	int result;

	if (gateway == NULL)
		return -EINVAL;
	out->bridge = read_text(json, "bridge", error);
	if (out->bridge == NULL)
		return -EINVAL;
	out->data_directory = read_text(json, "dataDir", error);
	if (out->data_directory == NULL)
		return -EINVAL;
	result = read_optional(json, "gatewaySocket", &out->gateway_socket, error);
	if (result == 0)
		result = read_optional(json, "bridgeNetns", &out->bridge_netns, error);
	if (result == 0)
		result = read_subnet("subnet", subnet, &out->subnet, error);
	if (result == 0)
		result = read_network(json, out, error);
	if (result == 0)
		result = read_address("gateway", gateway, &out->gateway, error);
	return result != 0 ? result : read_reserved(json, out, error);
}

static int read_version(const struct json *json, struct config *out, struct cni_error *error)
{
	const struct json_value *member = json_member(json, json->values, "cniVersion");

	out->version = CNI_NEWEST_VERSION;
	if (member == NULL)
		return 0;
	if (member->type == JSON_STRING && version_rank(member->text) >= 0) {
		out->version = member->text;
		return 0;
	}
	error->code = CNI_INCOMPATIBLE_VERSION;
	return fail_input(&error->failure, "Unknown cniVersion %s: expected 0.3.1 to %s",
	                  member->type == JSON_STRING ? member->text : "that is no string",
	                  CNI_NEWEST_VERSION);
}

int config_read(const struct json *json, struct config *out, struct cni_error *error)
{
	const char *type;
	int result;

	*out = (struct config){.version = CNI_NEWEST_VERSION};
	if (json->values->type != JSON_OBJECT)
		return invalid(error, fail_input(&error->failure,
		                                 "Bad network configuration: expected an object"));
	result = read_version(json, out, error);
	if (result != 0)
		return result;
	type = read_text(json, "type", error);
	if (type == NULL)
		return -EINVAL;
	if (strcmp(type, "loopback") == 0) {
		out->plugin = PLUGIN_LOOPBACK;
		return 0;
	}
	if (strcmp(type, "gvisor-bridge") == 0) {
		out->plugin = PLUGIN_BRIDGE;
		return read_bridge(json, out, error);
	}
	return invalid(error,
	               fail_input(&error->failure,
	                          "Unknown type %s: expected gvisor-bridge or loopback", type));
}
