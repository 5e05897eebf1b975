#include "interceptor/generated.h"

#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define DIRECTORY "/.generated"

int generated_begin(const char *root)
{
	char path[TARGET_SIZE];

	snprintf(path, sizeof path, "%s" DIRECTORY, root);
	return mkdir(path, 0755) == 0 || errno == EEXIST ? 0 : -errno;
}

int generated_end(const char *root)
{
	char path[TARGET_SIZE];

	snprintf(path, sizeof path, "%s" DIRECTORY, root);
	return rmdir(path) == 0 ? 0 : -errno;
}

int generated_make(const char *root, const char *text, size_t length, char *target)
{
	static unsigned long made;
	cleanup_fd int fd = -1;

	snprintf(target, TARGET_SIZE, "%s" DIRECTORY "/%lu", root, made++);
	fd = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0444);
	if (fd < 0)
		return -errno;
	while (length > 0) {
		ssize_t written = write(fd, text, length);

		if (written < 0) {
			int error = -errno;

			unlink(target);
			return error;
		}
		text += written;
		length -= (size_t)written;
	}
	return 0;
}
