/* Frontends in force: the listeners of each, opened and closed as its endpoints come and go. */
#ifndef GATEWAY_SERVICE_H
#define GATEWAY_SERVICE_H

#include "gateway/gateway.h"

/**
 * Brings the frontend's listeners into line with its endpoints. A frontend without endpoints has
 * none, so that the kernel itself refuses its clients; one that needs none is refused by rule, from
 * the next redirection_apply() on. Returns 0, or -errno with the failure noted;
 * what could be opened stays open, and the next call tries the rest again.
 */
int service_sync(struct gateway *gateway, struct frontend *frontend, struct failure *failure);

/** Closes what the frontend has open; to be called before it leaves the table. */
void service_close(struct gateway *gateway, struct frontend *frontend);

#endif
