/* The plugin gvisor-bridge: its commands. Each returns 0, or -errno with the error filled in. */
#ifndef CNI_BRIDGE_H
#define CNI_BRIDGE_H

#include "cni/config.h"
#include "cni/error.h"
#include "cni/request.h"
#include "lib/json.h"

/** Connects the pod and prints the result; what it made before it failed is undone. */
int bridge_add(const struct json *json, const struct config *config, const struct request *request,
               struct cni_error *error);

/** Takes the pod's link and address back; nothing to take back is no error. */
int bridge_del(const struct config *config, const struct request *request, struct cni_error *error);

/** Compares what there is with what ADD made and with the runtime's prevResult. */
int bridge_check(const struct json *json, const struct config *config,
                 const struct request *request, struct cni_error *error);

/** Whether an ADD could succeed now. */
int bridge_status(const struct config *config, struct cni_error *error);

/** Takes back what belongs to none of the runtime's valid attachments. */
int bridge_gc(const struct json *json, const struct config *config, struct cni_error *error);

#endif
