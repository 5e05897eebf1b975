#include "probe/mountinfo.h"

#include "lib/test/tap.h"

#include <errno.h>
#include <stdlib.h>

static const char *const sandbox =
    "109 86 0:35 / / rw shared:1 - overlay none rw,mode=0755\n"
    "112 111 0:30 / /sys/fs/cgroup ro,nosuid shared:6 - tmpfs none ro\n"
    "116 112 0:10 /ID /sys/fs/cgroup/cpu rw shared:10 - cgroup none rw,cpu\n"
    "117 112 0:11 /ID /sys/fs/cgroup/cpuacct rw shared:11 - cgroup none rw,cpuacct\n"
    "118 112 0:10 /ID /over rw - cgroup none rw,cpu\n"
    "bad line\n"
    "1 2 3 - cgroup\n";

static void finds(const char *type, const char *option, int result, const char *point)
{
	char *text = strdup(sandbox), out[32] = "";

	check_number(mountinfo_find(text, type, option, out, sizeof out), result, type);
	check_text(out, point, "mount point");
	free(text);
}

int main(void)
{
	char *text = strdup(sandbox), out[4];

	finds("cgroup", "cpuacct", 0, "/sys/fs/cgroup/cpuacct");
	finds("cgroup", "cpu", 0, "/over");
	finds("overlay", NULL, 0, "/");
	finds("cgroup", "memory", -ENOENT, "");
	finds("cgroup2", NULL, -ENOENT, "");
	check_number(mountinfo_find(text, "cgroup", "cpuacct", out, sizeof out), -ENAMETOOLONG,
	             "no room");
	free(text);
	return tap_done();
}
