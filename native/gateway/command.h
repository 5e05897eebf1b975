/*
 * The control protocol: one command per line, words separated by single blanks.
 *
 *   set tcp|udp FRONTEND [affinity=SECONDS] [ENDPOINT...]
 *   del tcp|udp FRONTEND
 *   begin
 *   end
 *   stats
 *   watch
 *
 *   set ingress|egress NAME [RULE...]
 *   del ingress|egress NAME
 *   set own POD
 *   del own POD
 *   attach CONTAINER POD IP NETNS
 *   detach CONTAINER
 *
 * FRONTEND is IP:PORT or, for a node port, *:PORT; ENDPOINT is IP:PORT. POD is namespace/name, NETNS
 * a path; for NAME and RULE see policy_table.h. The last two are the CNI plugin's.
 */
#ifndef GATEWAY_COMMAND_H
#define GATEWAY_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/pods.h"
#include "gateway/table.h"
#include "lib/failure.h"

enum command_verb {
	COMMAND_SET,
	COMMAND_DEL,
	COMMAND_BEGIN,
	COMMAND_END,
	COMMAND_STATS,
	COMMAND_WATCH,
	COMMAND_ATTACH,
	COMMAND_DETACH,
	COMMAND_ISOLATE, /**< set ingress or egress */
	COMMAND_RELEASE, /**< del ingress or egress */
	COMMAND_OWN,     /**< set own */
	COMMAND_DISOWN,  /**< del own */
};

struct command {
	enum command_verb verb;
	struct frontend_key frontend; /**< of set and del */
	uint32_t affinity_seconds;    /**< of set */
	struct endpoint *endpoints;   /**< of set; to be freed */
	size_t endpoint_count;
	struct policy *policy;    /**< of isolate; to be freed */
	enum direction direction; /**< of release */
	const char *name;         /**< of release, own and disown, in the line */
	struct pod pod;           /**< of attach and detach; its texts are in the line */
};

/** The most seconds of affinity Kubernetes allows (a day). */
#define AFFINITY_LIMIT 86400

/**
 * Reads a line (NUL terminated at `length`; it is cut up). Returns 0, or -errno with the failure
 * noted and nothing to be freed.
 */
int command_parse(char *line, size_t length, struct command *command, struct failure *failure);

void command_free(struct command *command);

#endif
