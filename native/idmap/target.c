#include "idmap/target.h"

#include "idmap/map.h"
#include "lib/cleanup.h"
#include "lib/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define STATUS_MAXIMUM (1 << 16)

pid_t target_parse_parent(const char *status)
{
	static const char name[] = "\nPPid:";
	const char *line = strstr(status, name);
	char *end;
	long parent;

	if (line == NULL)
		return 0;
	errno = 0;
	parent = strtol(line + sizeof name - 1, &end, 10);
	return errno == 0 && *end == '\n' && parent > 0 && parent == (pid_t)parent ? (pid_t)parent
	                                                                         : 0;
}

int target_open(pid_t pid, struct target *out, struct failure *failure)
{
	char path[32];
	cleanup_free char *text = NULL;
	cleanup_fd int directory = -1, status_fd = -1;
	struct stat status;
	int error;

	snprintf(path, sizeof path, "/proc/%d", (int)pid);
	directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0 || fstat(directory, &status) != 0)
		return fail(failure, errno, "find process %d", (int)pid);
	status_fd = openat(directory, "status", O_RDONLY | O_CLOEXEC);
	if (status_fd < 0)
		return fail(failure, errno, "open %s/status", path);
	error = io_read(status_fd, STATUS_MAXIMUM, &text, NULL);
	if (error != 0)
		return fail(failure, -error, "read %s/status", path);
	*out = (struct target){
	    .pid = pid,
	    .directory = steal_fd(&directory),
	    .uid = status.st_uid,
	    .gid = status.st_gid,
	    .parent = target_parse_parent(text),
	};
	return 0;
}

int target_check(const struct target *target, const struct caller *caller, struct failure *failure)
{
	if (caller->uid == 0)
		return 0;
	if (target->uid != caller->uid)
		return fail(failure, EPERM, "map the ids of process %d, which is not user %u's",
		            (int)target->pid, caller->uid);
	/* Both are 0 where the parent is outside of the pid namespace. */
	if (target->parent != caller->pid || caller->pid == 0)
		return fail(failure, EPERM, "map the ids of process %d, which is no child of %d",
		            (int)target->pid, (int)caller->pid);
	return 0;
}

static int write_map(const struct target *target, const char *name, unsigned long id,
                     struct failure *failure)
{
	struct id_maps maps = map_of(id);

	return namespaces_map_at(target->directory, name, &maps, failure);
}

int target_map(const struct target *target, struct failure *failure)
{
	int error = write_map(target, "gid_map", target->gid, failure);

	return error != 0 ? error : write_map(target, "uid_map", target->uid, failure);
}
