/* What the runtime asks for, as it comes in the environment. */
#ifndef CNI_REQUEST_H
#define CNI_REQUEST_H

#include "cni/error.h"

/** A namespace, a slash and a pod's name, each as long as Kubernetes lets it be. */
#define REQUEST_POD_SIZE (63 + 1 + 253 + 1)

enum command {
	COMMAND_ADD,
	COMMAND_DEL,
	COMMAND_CHECK,
	COMMAND_STATUS,
	COMMAND_VERSION,
	COMMAND_GC,
};

struct request {
	enum command command;
	const char *container; /**< NULL where the command needs none */
	const char *netns;     /**< path of the pod's network namespace, or NULL */
	const char *interface; /**< name of the link in it, or NULL */
	char pod[REQUEST_POD_SIZE]; /**< "namespace/name"; empty where the runtime names none */
};

/** What getenv(3) is here, so that reading a request is pure. */
typedef char *environment_reader(const char *name);

/** Reads the request; 0, or -errno with the error filled in. */
int request_read(environment_reader *read, struct request *out, struct cni_error *error);

#endif
