/* The map of ids that is written: all but the last, root and the caller changed for each other. */
#ifndef IDMAP_MAP_H
#define IDMAP_MAP_H

#include "lib/namespaces.h"

/**
 * The map in which the caller's id is 0 inside, so that what root makes there is the caller's own
 * outside and can be removed by it, and 0 outside is the caller's id inside. Every other id is
 * itself. Pure.
 */
struct id_maps map_of(unsigned long id);

#endif
