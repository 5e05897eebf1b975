#include "probe/scratch.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int scratch_make(const char *parent, char *out, size_t size, struct failure *failure)
{
	if ((size_t)snprintf(out, size, "%s/probe-XXXXXX", parent) >= size)
		return fail(failure, ENAMETOOLONG, "make a directory in %s", parent);
	if (mkdtemp(out) == NULL)
		return fail(failure, errno, "make a directory in %s", parent);
	return 0;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

int scratch_remove(const char *path, struct failure *failure)
{
	/* Below a directory first, on one file system, and no symbolic link is followed. */
	if (nftw(path, remove_entry, 8, FTW_DEPTH | FTW_MOUNT | FTW_PHYS) != 0)
		return fail(failure, errno, "remove %s", path);
	return 0;
}
