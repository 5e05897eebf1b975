/* Results of ADD (https://www.cni.dev/docs/spec/#add-success), each printed on stdout. */
#ifndef CNI_RESULT_H
#define CNI_RESULT_H

#include "cni/config.h"
#include "cni/pod.h"
#include "lib/json.h"
#include "lib/link.h"

#include <stdio.h>

/** `json` is the configuration: its "dns" becomes the result's. */
void result_print_bridge(FILE *stream, const struct json *json, const struct config *config,
                         const struct link *bridge, const struct pod *pod);

void result_print_loopback(FILE *stream, const struct config *config, const char *netns);

void result_print_versions(FILE *stream, const char *version);

void result_print_error(FILE *stream, const char *version, const struct cni_error *error);

#endif
