/* What the launch decided: a file beside the name under which containerd calls the adapter. Pure.
 */
#ifndef ADAPTER_SETTINGS_H
#define ADAPTER_SETTINGS_H

#include "lib/failure.h"

#include <stdbool.h>
#include <stddef.h>

#define SETTINGS_WORKAROUNDS 16

/** What points into the text. */
struct settings {
	const char *state;   /**< directory for what belongs to containers, on a tmpfs */
	const char *log;     /**< file for notes */
	const char *sysctls; /**< directory with the files that /proc/sys lacks */
	const char *workarounds[SETTINGS_WORKAROUNDS];
	size_t workaround_count;
};

/**
 * Reads lines of NAME and VALUE, separated by a TAB (lib/fields.h); the text is changed. Returns 0,
 * or -EINVAL with the failure noted.
 */
int settings_read(char *text, struct settings *out, struct failure *failure);

bool settings_have(const struct settings *settings, const char *workaround);

#endif
