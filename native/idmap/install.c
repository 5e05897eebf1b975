#include "idmap/install.h"

#include "idmap/capabilities.h"
#include "lib/cleanup.h"
#include "lib/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRAM_MAXIMUM (16 * 1024 * 1024)

static int write_program(int fd, const char *path, struct failure *failure)
{
	cleanup_free char *program = NULL;
	size_t size;
	int error = io_read_file("/proc/self/exe", PROGRAM_MAXIMUM, &program, &size);

	if (error != 0)
		return fail(failure, -error, "read this program");
	error = io_write(fd, program, size);
	if (error != 0)
		return fail(failure, -error, "write %s", path);
	if (fchmod(fd, 0755) != 0)
		return fail(failure, errno, "set mode of %s", path);
	/* Last: a write takes them away. */
	return capabilities_give(fd, path, failure);
}

int install(const char *path, struct failure *failure)
{
	char partial[PATH_MAX];
	cleanup_fd int fd = -1;
	int error;

	/* Whoever runs the installed one has its capabilities, and must not hand them on. */
	if (getuid() != 0)
		return fail(failure, EPERM, "install %s as user %u: only root may", path, getuid());
	if ((size_t)snprintf(partial, sizeof partial, "%s.partial", path) >= sizeof partial)
		return fail(failure, ENAMETOOLONG, "install %s", path);
	fd = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(failure, errno, "create %s", partial);
	error = write_program(fd, partial, failure);
	if (error == 0 && rename(partial, path) != 0)
		error = fail(failure, errno, "rename %s to %s", partial, path);
	if (error != 0)
		unlink(partial);
	return error;
}
