#include "lib/directory.h"

#include <errno.h>
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
