/* Putting this program where it is wanted, with its capabilities. */
#ifndef IDMAP_INSTALL_H
#define IDMAP_INSTALL_H

#include "lib/failure.h"

/** Copies this program to the path and gives it its capabilities; 0, or -errno. */
int install(const char *path, struct failure *failure);

#endif
