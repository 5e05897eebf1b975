#include "init/operations/operation.h"

#include "lib/cleanup.h"
#include "lib/directory.h"
#include "lib/io.h"
#include "lib/number.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_BYTES = 1 << 16 };

static int parse_mode(const char *text, mode_t *out, struct failure *failure)
{
	unsigned long mode;

	if (number_parse(text, 8, 07777, &mode) != 0)
		return fail_input(failure, "Bad mode \"%s\": expected octal up to 7777", text);
	*out = (mode_t)mode;
	return 0;
}

int operation_directory(struct supervisor *supervisor, char **arguments, struct failure *failure)
{
	mode_t mode = 0;
	int error = parse_mode(arguments[1], &mode, failure);

	(void)supervisor;
	return error != 0 ? error : directory_make(arguments[0], mode, failure);
}

/* The descriptor, or -errno with the failure noted. */
static int create(const char *path, const char *mode_text, struct failure *failure)
{
	cleanup_fd int fd = -1;
	mode_t mode = 0;
	int error = parse_mode(mode_text, &mode, failure);
	int created;

	if (error != 0)
		return error;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(failure, errno, "create %s", path);
	if (fchmod(fd, mode) != 0)
		return fail(failure, errno, "set mode of %s", path);
	created = fd;
	fd = -1;
	return created;
}

int operation_write(struct supervisor *supervisor, char **arguments, struct failure *failure)
{
	const char *path = arguments[0], *content = arguments[2];
	cleanup_fd int fd = create(path, arguments[1], failure);
	int error;

	(void)supervisor;
	if (fd < 0)
		return fd;
	error = io_write(fd, content, strlen(content));
	return error != 0 ? fail(failure, -error, "write %s", path) : 0;
}

int operation_copy(struct supervisor *supervisor, char **arguments, struct failure *failure)
{
	const char *from = arguments[0], *to = arguments[1];
	cleanup_fd int source = open(from, O_RDONLY | O_CLOEXEC);
	cleanup_fd int target = -1;
	char buffer[COPY_BYTES];
	ssize_t size;

	(void)supervisor;
	if (source < 0)
		return fail(failure, errno, "open %s", from);
	target = create(to, arguments[2], failure);
	if (target < 0)
		return target;
	while ((size = read(source, buffer, sizeof buffer)) > 0) {
		int error = io_write(target, buffer, (size_t)size);

		if (error != 0)
			return fail(failure, -error, "write %s", to);
	}
	return size < 0 ? fail(failure, errno, "read %s", from) : 0;
}

/* One write of the whole: a kernel file takes each write as a value of its own. */
int operation_set(struct supervisor *supervisor, char **arguments, struct failure *failure)
{
	const char *path = arguments[0], *content = arguments[1];
	cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t written;

	(void)supervisor;
	if (fd < 0)
		return fail(failure, errno, "open %s", path);
	written = write(fd, content, strlen(content));
	if (written < 0)
		return fail(failure, errno, "write \"%s\" to %s", content, path);
	if ((size_t)written != strlen(content))
		return fail(failure, EIO, "write all of \"%s\" to %s", content, path);
	return 0;
}

int operation_symlink(struct supervisor *supervisor, char **arguments, struct failure *failure)
{
	(void)supervisor;
	if (symlink(arguments[0], arguments[1]) != 0)
		return fail(failure, errno, "link %s to %s", arguments[1], arguments[0]);
	return 0;
}
