#include "probe/mounting.h"

#include "lib/cleanup.h"
#include "lib/io.h"
#include "probe/mountinfo.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOUNTINFO_MAXIMUM (4 * 1024 * 1024)

/* Makes a group below the path and removes it: what runc does for every container. */
static int make_group(struct attempt *attempt, const char *path)
{
	char group[PATH_MAX + 64];

	snprintf(group, sizeof group, "%s/k3s-in-gvisor-probe-%d", path, (int)getppid());
	if (mkdir(group, 0755) != 0)
		return fail(&attempt->failure, errno, "make a group in %s", path);
	if (rmdir(group) != 0)
		return fail(&attempt->failure, errno, "remove the group %s", group);
	snprintf(attempt->found, sizeof attempt->found, "%.200s", path);
	return 0;
}

static int inherited(struct attempt *attempt, const char *type, const char *option)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX];
	int error = io_read_file("/proc/self/mountinfo", MOUNTINFO_MAXIMUM, &text, NULL);

	if (error != 0)
		return fail(&attempt->failure, -error, "read /proc/self/mountinfo");
	if (mountinfo_find(text, type, option, path, sizeof path) != 0)
		return fail(&attempt->failure, ENOENT, "find a %s mount", type);
	return make_group(attempt, path);
}

static int mounted(struct attempt *attempt, const char *type, const char *data)
{
	int error = mounting_mount(attempt, type, attempt->scratch, data);

	return error != 0 ? error : make_group(attempt, attempt->scratch);
}

/*
 * A writable group tree: without one runc ends with "mkdir /sys/fs/cgroup/kubepods: read-only file
 * system", and k3s refuses to start its agent: "failed to find cpuset cgroup (v2)".
 */
int probe_cgroup_v1_inherited(struct attempt *attempt)
{
	return inherited(attempt, "cgroup", "cpu");
}

int probe_cgroup_v1_mount(struct attempt *attempt)
{
	return mounted(attempt, "cgroup", "cpu");
}

int probe_cgroup_v2_inherited(struct attempt *attempt)
{
	return inherited(attempt, "cgroup2", NULL);
}

int probe_cgroup_v2_mount(struct attempt *attempt)
{
	return mounted(attempt, "cgroup2", NULL);
}
