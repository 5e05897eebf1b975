/* The plugin loopback: a pod's lo. Each returns 0, or -errno with the error filled in. */
#ifndef CNI_LOOPBACK_H
#define CNI_LOOPBACK_H

#include "cni/config.h"
#include "cni/error.h"
#include "cni/request.h"

/** Brings lo up and prints the result. */
int loopback_add(const struct config *config, const struct request *request,
                 struct cni_error *error);

/** Whether lo is up. */
int loopback_check(const struct request *request, struct cni_error *error);

#endif
