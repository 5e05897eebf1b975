/* The network configuration, as it comes on stdin. */
#ifndef CNI_CONFIG_H
#define CNI_CONFIG_H

#include "cni/error.h"
#include "lib/cidr.h"
#include "lib/json.h"

#include <stdbool.h>

/** The versions of the specification spoken here, oldest first; NULL ends them. */
extern const char *const cni_versions[];

/** The one assumed where a configuration names none. */
#define CNI_NEWEST_VERSION "1.1.0"

enum plugin {
	PLUGIN_BRIDGE,
	PLUGIN_LOOPBACK,
};

#define CONFIG_RESERVED 8

struct config {
	const char *version; /**< one of cni_versions */
	enum plugin plugin;
	const char *bridge;
	const char *bridge_netns; /**< NULL: the bridge is in the caller's network namespace */
	struct cidr subnet; /**< without host bits */
	uint8_t prefix; /**< of the network that all pods are on, whose part the subnet may be */
	struct in_addr gateway;
	/** Addresses of the subnet that no pod gets, the gateway's among them. */
	struct in_addr reserved[CONFIG_RESERVED];
	size_t reserved_count;
	const char *data_directory;
	const char *gateway_socket; /**< NULL: there is no gateway */
};

/**
 * Reads the configuration; its texts point into the document. Returns 0, or -errno with the error
 * filled in.
 */
int config_read(const struct json *json, struct config *out, struct cni_error *error);

/** Whether the version is at least the other; both are among cni_versions. */
bool config_version_at_least(const struct config *config, const char *version);

#endif
