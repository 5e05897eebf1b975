#include "init/maps.h"

#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The kernel takes a map only as a whole, in one write. */
static int write_file(pid_t pid, const char *name, const char *content, struct failure *failure)
{
	char path[64];
	cleanup_fd int fd = -1;

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(failure, errno, "open %s", path);
	if (write(fd, content, strlen(content)) < 0)
		return fail(failure, errno, "write \"%s\" to %s", content, name);
	return 0;
}

static int write_map(pid_t pid, const char *name, const struct id_maps *maps,
                     struct failure *failure)
{
	/* Three numbers of at most ten digits, with their separators. */
	char content[LAUNCH_ID_MAPS * 33 + 1];
	size_t length = 0;

	for (size_t i = 0; i < maps->count; i++)
		length += (size_t)snprintf(content + length, sizeof content - length,
		                           "%lu %lu %lu\n", maps->maps[i].inside,
		                           maps->maps[i].outside, maps->maps[i].count);
	return write_file(pid, name, content, failure);
}

int maps_write(const struct launch *launch, pid_t pid, struct position *position,
               struct failure *failure)
{
	int error = 0;

	position->directive = "setgroups";
	if (launch->deny_setgroups)
		error = write_file(pid, "setgroups", "deny", failure);
	if (error != 0)
		return error;
	position->directive = "map-gid";
	error = write_map(pid, "gid_map", &launch->gids, failure);
	if (error != 0)
		return error;
	position->directive = "map-uid";
	return write_map(pid, "uid_map", &launch->uids, failure);
}
