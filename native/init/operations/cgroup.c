#include "init/operations/operation.h"

#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

/* Its files are the kernel's and go with it. */
static int remove_directory(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)walk;
	return type == FTW_DP && rmdir(path) != 0 && errno != ENOENT ? -1 : 0;
}

int operation_remove_group(struct supervisor *supervisor, char **arguments, struct failure *failure)
{
	(void)supervisor;
	/* Those below it first; no symbolic link is followed. */
	if (nftw(arguments[0], remove_directory, 8, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
		return fail(failure, errno, "remove the group %s", arguments[0]);
	return 0;
}
