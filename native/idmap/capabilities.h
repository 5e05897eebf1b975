/* The three capabilities this program is given, as a file's attribute and as a process's. */
#ifndef IDMAP_CAPABILITIES_H
#define IDMAP_CAPABILITIES_H

#include "lib/failure.h"

#include <stdbool.h>

/** Whether this process has them. */
bool capabilities_are_here(void);

/** Gives them to the file, in place of what it had; 0, or -errno with the failure noted. */
int capabilities_give(int fd, const char *path, struct failure *failure);

#endif
