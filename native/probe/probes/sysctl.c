#include "probe/mounting.h"

#include "lib/cleanup.h"
#include "lib/io.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define SYSCTL_MAXIMUM 65536

/* One file of /proc/sys, read through a fresh /proc where one can be mounted: its value. */
int probe_sysctl(struct attempt *attempt)
{
	struct attempt fresh = *attempt;
	const char *proc = attempt->scratch;
	cleanup_free char *value = NULL;
	char path[PATH_MAX];
	int error;

	if (mounting_mount(&fresh, "proc", proc, NULL) != 0)
		proc = "/proc";
	if (snprintf(path, sizeof path, "%s/sys/%s", proc, attempt->sysctl) >= (int)sizeof path)
		return fail(&attempt->failure, ENAMETOOLONG, "read %s", attempt->sysctl);
	error = io_read_file(path, SYSCTL_MAXIMUM, &value, NULL);
	if (error != 0)
		return fail(&attempt->failure, -error, "read %s", attempt->sysctl);
	value[strcspn(value, "\n")] = '\0';
	snprintf(attempt->found, sizeof attempt->found, "%s", value);
	return 0;
}
