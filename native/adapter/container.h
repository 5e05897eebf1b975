/* What the adapter needs to know of a container, from its bundle's config.json. Pure. */
#ifndef ADAPTER_CONTAINER_H
#define ADAPTER_CONTAINER_H

#include "lib/json.h"

#include <stdbool.h>

/** Values are NULL where the document has none of the kind. */
struct container {
	const char *id;
	const char *sandbox; /**< id of the pod's sandbox; NULL for what is no pod's */
	bool is_sandbox;     /**< the pod's first container, which holds its namespaces */
	const char *pod_namespace, *pod_name;
	const struct json_value *sysctls;      /**< an object of strings */
	const struct json_value *masked_paths; /**< a list of strings */
	const struct json_value *mounts;       /**< a list of objects */
	const struct json_value *hooks;        /**< an object, or null */
	bool writes_sysctls;                   /**< nothing keeps it from writing below /proc/sys */
};

struct container container_of(const struct json *json, const char *id);

#endif
