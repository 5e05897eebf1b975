#include "adapter/container.h"

#include <string.h>

static const struct json_value *typed(const struct json_value *value, enum json_type type)
{
	return value != NULL && value->type == type ? value : NULL;
}

static const char *text_of(const struct json_value *value)
{
	return typed(value, JSON_STRING) == NULL ? NULL : value->text;
}

static bool has_text(const struct json *json, const struct json_value *list, const char *text)
{
	for (const struct json_value *item = json_first(json, list); item != NULL;
	     item = json_next(json, item))
		if (item->type == JSON_STRING && strcmp(item->text, text) == 0)
			return true;
	return false;
}

/* Annotations of containerd's CRI plugin (internal/cri/annotations). */
struct container container_of(const struct json *json, const char *id)
{
	const struct json_value *annotations = json_member(json, json->values, "annotations");
	const struct json_value *system = json_member(json, json->values, "linux");
	const char *type =
	    text_of(json_member(json, annotations, "io.kubernetes.cri.container-type"));

	return (struct container){
	    .id = id,
	    .sandbox = text_of(json_member(json, annotations, "io.kubernetes.cri.sandbox-id")),
	    .is_sandbox = type != NULL && strcmp(type, "sandbox") == 0,
	    .pod_namespace =
	        text_of(json_member(json, annotations, "io.kubernetes.cri.sandbox-namespace")),
	    .pod_name = text_of(json_member(json, annotations, "io.kubernetes.cri.sandbox-name")),
	    .sysctls = typed(json_member(json, system, "sysctl"), JSON_OBJECT),
	    .masked_paths = typed(json_member(json, system, "maskedPaths"), JSON_ARRAY),
	    .mounts = typed(json_member(json, json->values, "mounts"), JSON_ARRAY),
	    .hooks = json_member(json, json->values, "hooks"),
	    .writes_sysctls =
	        !has_text(json, json_member(json, system, "readonlyPaths"), "/proc/sys"),
	};
}
