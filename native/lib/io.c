#include "lib/io.h"

#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int io_write(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size > 0) {
		ssize_t written = write(fd, at, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		at += written;
		size -= (size_t)written;
	}
	return 0;
}

int io_read(int fd, size_t maximum, char **text, size_t *size)
{
	cleanup_free char *buffer = NULL;
	size_t capacity = 0, used = 0;

	for (;;) {
		ssize_t received;

		if (capacity - used < 2) {
			char *larger;

			capacity = capacity == 0 ? 4096 : capacity * 2;
			larger = realloc(buffer, capacity);
			if (larger == NULL)
				return -ENOMEM;
			buffer = larger;
		}
		received = read(fd, buffer + used, capacity - used - 1);
		if (received < 0 && errno == EINTR)
			continue;
		if (received < 0)
			return -errno;
		if (received == 0)
			break;
		used += (size_t)received;
		if (used > maximum)
			return -EFBIG;
	}
	buffer[used] = '\0';
	if (size != NULL)
		*size = used;
	*text = buffer;
	buffer = NULL;
	return 0;
}

int io_read_file(const char *path, size_t maximum, char **text, size_t *size)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : io_read(fd, maximum, text, size);
}
