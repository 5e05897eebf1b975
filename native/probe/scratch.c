#include "probe/scratch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int scratch_make(const char *parent, char *out, size_t size, struct failure *failure)
{
	if ((size_t)snprintf(out, size, "%s/probe-XXXXXX", parent) >= size)
		return fail(failure, ENAMETOOLONG, "make a directory in %s", parent);
	if (mkdtemp(out) == NULL)
		return fail(failure, errno, "make a directory in %s", parent);
	return 0;
}
