/* What is done to a container's bundle before runc creates it. */
#ifndef ADAPTER_ADAPT_H
#define ADAPTER_ADAPT_H

#include "adapter/command.h"
#include "adapter/settings.h"
#include "lib/failure.h"

/**
 * Applies the workarounds to the bundle; `program` is this one's path. Returns 0, or -errno with
 * the failure noted: then the container must not be created.
 */
int adapt(const struct settings *settings, const struct command *command, const char *program,
          struct failure *failure);

/** The workarounds that the settings name, decided for one container; as above. */
struct adaptation;
int adapt_decide(const struct settings *settings, struct adaptation *adaptation,
                 struct failure *failure);

/** Adds the hook to config.json, whatever hooks it has. Returns 0 or -ENOMEM. */
int adapt_add_hook(struct adaptation *adaptation, const char *hook);

#endif
