#include "interceptor/temporary.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int temporary_make(char *path, struct failure *failure)
{
	const char *parent = getenv("TMPDIR");

	if (parent == NULL || parent[0] != '/')
		parent = "/tmp";
	if (snprintf(path, ROOT_SIZE, "%s/interceptor.XXXXXX", parent) >= ROOT_SIZE)
		return fail_input(failure, "TMPDIR is %s; it must be at most %zu bytes long",
		                  parent, ROOT_SIZE - sizeof "/interceptor.XXXXXX");
	if (mkdtemp(path) == NULL || chmod(path, 0755) != 0)
		return fail(failure, errno, "make the directory %s", path);
	return 0;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)status;
	(void)type;
	(void)where;
	return remove(path);
}

int temporary_remove(const char *path, struct failure *failure)
{
	if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0)
		return fail(failure, errno, "remove %s", path);
	return 0;
}
