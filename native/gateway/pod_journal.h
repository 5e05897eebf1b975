/*
 * The pods in a file, so that a gateway which is started again knows them: their network namespaces
 * cannot be found otherwise. The lines are those the CNI plugin sends (command.h).
 */
#ifndef GATEWAY_POD_JOURNAL_H
#define GATEWAY_POD_JOURNAL_H

#include "gateway/pods.h"

/**
 * Calls `add` for each pod in the file whose network namespace is still there. Returns 0, also
 * where there is no file, or -errno with the failure noted.
 */
int pod_journal_read(const char *path, struct pods *pods,
                     int (*add)(struct pods *, const struct pod *), struct failure *failure);

/** Writes the file anew, as a whole. No-op without a path. 0 or -errno as above. */
int pod_journal_write(const char *path, const struct pods *pods, struct failure *failure);

#endif
