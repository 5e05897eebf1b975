#include "lib/directory.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int make_parents(char *path, struct failure *failure)
{
	if (*path == '\0')
		return 0;
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		int error = 0;

		*slash = '\0';
		if (mkdir(path, 0755) != 0 && errno != EEXIST)
			error = fail(failure, errno, "make directory %s", path);
		*slash = '/';
		if (error != 0)
			return error;
	}
	return 0;
}

int directory_make(char *path, mode_t mode, struct failure *failure)
{
	struct stat status;
	int error = make_parents(path, failure);

	if (error != 0)
		return error;
	if (mkdir(path, 0700) == 0)
		/* chmod: mkdir's mode would be reduced by the umask. */
		return chmod(path, mode) != 0 ? fail(failure, errno, "set mode of %s", path) : 0;
	if (errno != EEXIST)
		return fail(failure, errno, "make directory %s", path);
	if (stat(path, &status) != 0)
		return fail(failure, errno, "make directory %s", path);
	return S_ISDIR(status.st_mode) ? 0 : fail(failure, ENOTDIR, "make directory %s", path);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

int directory_remove(const char *path, struct failure *failure)
{
	/* Below a directory first, on one file system, and no symbolic link is followed. */
	if (nftw(path, remove_entry, 8, FTW_DEPTH | FTW_MOUNT | FTW_PHYS) != 0)
		return fail(failure, errno, "remove %s", path);
	return 0;
}
