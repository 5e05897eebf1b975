/*
 * Telling the gateway which pods there are (native/gateway/command.h): it keeps what
 * NetworkPolicies forbid from the pod's first packet on.
 */
#ifndef CNI_GATEWAY_H
#define CNI_GATEWAY_H

#include "cni/config.h"
#include "cni/pod.h"
#include "cni/request.h"

/**
 * Returns when the pod's policies are in force; at once where the configuration names no gateway or
 * the runtime no pod. Returns 0, or -errno with the error filled in: without a gateway no pod
 * starts.
 */
int gateway_attach(const struct config *config, const struct request *request,
                   const struct pod *pod, struct cni_error *error);

/**
 * The container's pod is going. A gateway that is not there need not be told: it knows a pod by its
 * network namespace, and an address by who came with it last.
 */
void gateway_detach(const struct config *config, const char *container);

#endif
