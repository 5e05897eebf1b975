/* What the gateway may do once everything is open. */
#ifndef GATEWAY_PRIVILEGES_H
#define GATEWAY_PRIVILEGES_H

#include "lib/failure.h"

/**
 * Gives up the capabilities that relaying does not need, for good, and keeps other processes from
 * looking into this one. Returns 0, or -errno with the failure noted.
 */
int privileges_drop(struct failure *failure);

#endif
