/*
 * Container-level workarounds: what runc would do for a container and gVisor does not have. Each is
 * one entry of the table in workarounds.c and one file in workarounds/. They decide and change
 * nothing but the adaptation, so that they can be tested without a container.
 */
#ifndef ADAPTER_WORKAROUND_H
#define ADAPTER_WORKAROUND_H

#include "adapter/container.h"
#include "adapter/edits.h"
#include "lib/failure.h"
#include "lib/strings.h"

#include <stdbool.h>
#include <stddef.h>

/** What is looked up in the system that the container will run in. */
struct kernel {
	/** Reads /proc/sys/<path> into `out`; 0 or -errno. */
	int (*read_sysctl)(const char *path, char *out, size_t size);
	bool (*is_empty_directory)(const char *path);
};

/** A sysctl that the pod's containers are to see. */
struct shown_sysctl {
	char path[128]; /**< below /proc/sys */
	char value[256];
};

#define SHOWN_SYSCTLS 64

struct adaptation {
	const struct json *json;
	const struct container *container;
	const struct kernel *kernel;
	bool pod_shows_sysctls; /**< the pod's sandbox was told to show some */

	/* What comes of it. */
	struct edits edits;
	struct strings notes; /**< for the log */
	struct shown_sysctl shown[SHOWN_SYSCTLS];
	size_t shown_count;
	bool needs_sysctls;          /**< a view of /proc/sys of its own, with what is missing */
	bool needs_writable_sysctls; /**< the same, and what it writes stays in it */
};

/** Returns 0, or -errno with the failure noted: then the container must not start. */
typedef int workaround_function(struct adaptation *adaptation, struct failure *failure);

struct workaround {
	const char *id;
	workaround_function *adapt;
};

extern const struct workaround workarounds[];
extern const size_t workaround_count;

workaround_function masked_directories, one_id, pod_sysctls, private_sysctls;

/** Notes a line for the log; 0 or -ENOMEM with the failure noted. */
__attribute__((format(printf, 3, 4))) int
adaptation_note(struct adaptation *adaptation, struct failure *failure, const char *format, ...);

void adaptation_free(struct adaptation *adaptation);

#endif
