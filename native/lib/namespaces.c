#include "lib/namespaces.h"

#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The raw system call: without a stack of its own the child continues on a copy of ours. */
pid_t namespaces_clone(int flags)
{
	return (pid_t)syscall(SYS_clone, (unsigned long)flags | SIGCHLD, NULL, NULL, NULL, NULL);
}

/* The kernel takes a map only as a whole, in one write. */
static int write_file(int directory, const char *name, const char *content, struct failure *failure)
{
	cleanup_fd int fd = openat(directory, name, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return fail(failure, errno, "open the process's %s", name);
	if (write(fd, content, strlen(content)) < 0)
		return fail(failure, errno, "write \"%s\" to %s", content, name);
	return 0;
}

static int open_process(pid_t pid, struct failure *failure)
{
	char path[32];
	int fd;

	snprintf(path, sizeof path, "/proc/%d", (int)pid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? fail(failure, errno, "open %s", path) : fd;
}

int namespaces_map_at(int directory, const char *name, const struct id_maps *maps,
                      struct failure *failure)
{
	/* Three numbers of at most ten digits, with their separators. */
	char content[ID_MAPS * 33 + 1] = "";
	size_t length = 0;

	for (size_t i = 0; i < maps->count; i++)
		length += (size_t)snprintf(content + length, sizeof content - length,
		                           "%s%lu %lu %lu", i > 0 ? "\n" : "", maps->maps[i].inside,
		                           maps->maps[i].outside, maps->maps[i].count);
	return write_file(directory, name, content, failure);
}

int namespaces_map(pid_t pid, const char *name, const struct id_maps *maps, struct failure *failure)
{
	cleanup_fd int directory = open_process(pid, failure);

	return directory < 0 ? directory : namespaces_map_at(directory, name, maps, failure);
}

int namespaces_deny_setgroups(pid_t pid, struct failure *failure)
{
	cleanup_fd int directory = open_process(pid, failure);
	int error = directory < 0 ? directory : write_file(directory, "setgroups", "deny", failure);

	/* A kernel without the file (gVisor until 2026, Linux until 3.19) does not ask for it. */
	return error == -ENOENT ? 0 : error;
}
