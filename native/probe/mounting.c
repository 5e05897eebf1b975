#include "probe/mounting.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

int mounting_mount(struct attempt *attempt, const char *type, const char *path, const char *data)
{
	/* The type as the source: with "none", util-linux and others take it for mounted already.
	 */
	if (mount(type, path, type, 0, data) != 0)
		return fail(&attempt->failure, errno, "mount %s", type);
	return 0;
}

int mounting_directory(struct attempt *attempt, const char *path)
{
	if (mkdir(path, 0755) != 0)
		return fail(&attempt->failure, errno, "make directory %s", path);
	return 0;
}

int mounting_tmpfs(struct attempt *attempt)
{
	return mounting_mount(attempt, "tmpfs", attempt->scratch, NULL);
}

void mounting_path(const struct attempt *attempt, const char *name, char *out)
{
	if (snprintf(out, PATH_MAX, "%s/%s", attempt->scratch, name) >= PATH_MAX)
		*out = '\0';
}

int mounting_overlay(struct attempt *attempt, const char *lower, const char *target)
{
	char upper[PATH_MAX], work[PATH_MAX], made[PATH_MAX], data[3 * PATH_MAX];
	int error;

	mounting_path(attempt, "upper", upper);
	mounting_path(attempt, "work", work);
	error = mounting_directory(attempt, upper);
	if (error == 0)
		error = mounting_directory(attempt, work);
	if (error != 0)
		return error;
	/* Absolute paths: gVisor answers "wrong fs type" to relative ones. */
	snprintf(data, sizeof data, "lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work);
	error = mounting_mount(attempt, "overlay", target, data);
	if (error != 0)
		return error;
	snprintf(made, sizeof made, "%s/k3s-in-gvisor-probe", target);
	return mounting_directory(attempt, made);
}
