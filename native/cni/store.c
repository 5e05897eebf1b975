#include "cni/store.h"

#include "lib/cleanup.h"
#include "lib/directory.h"
#include "lib/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LOCK_FILE "lock"
#define LEASES_FILE "leases"
#define TEMPORARY_FILE "leases.new"
#define LEASES_MAXIMUM (64 * 1024 * 1024)

static int failed(struct cni_error *error, int errnum, const char *verb, const char *object)
{
	error->code = CNI_IO;
	return fail(&error->failure, errnum, "%s %s", verb, object);
}

static int open_directory(const char *path, struct store *store, struct cni_error *error)
{
	int result;

	if ((size_t)snprintf(store->path, sizeof store->path, "%s", path) >= sizeof store->path)
		return failed(error, ENAMETOOLONG, "open directory", path);
	result = directory_make(store->path, 0755, &error->failure);
	if (result != 0) {
		error->code = CNI_IO;
		return result;
	}
	store->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return store->directory < 0 ? failed(error, errno, "open directory", path) : 0;
}

static int take_lock(struct store *store, struct cni_error *error)
{
	store->lock = openat(store->directory, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (store->lock < 0)
		return failed(error, errno, "open the lock in", store->path);
	while (flock(store->lock, LOCK_EX) != 0)
		if (errno != EINTR)
			return failed(error, errno, "take the lock in", store->path);
	return 0;
}

static int read_leases(struct store *store, struct cni_error *error)
{
	char path[PATH_MAX + sizeof LEASES_FILE + 1];
	size_t size = 0;
	int result;

	snprintf(path, sizeof path, "%s/" LEASES_FILE, store->path);
	result = io_read_file(path, LEASES_MAXIMUM, &store->text, &size);
	if (result == -ENOENT)
		return 0;
	if (result != 0)
		return failed(error, -result, "read", path);
	error->code = CNI_IO;
	if (strlen(store->text) != size)
		return fail_input(&error->failure, "Bad leases in %s: a NUL byte", path);
	return pool_read(store->text, &store->pool, &error->failure);
}

int store_open(const char *directory, struct store *store, struct cni_error *error)
{
	int result;

	*store = (struct store){.directory = -1, .lock = -1};
	result = open_directory(directory, store, error);
	if (result == 0)
		result = take_lock(store, error);
	if (result == 0)
		result = read_leases(store, error);
	if (result != 0)
		store_close(store);
	return result;
}

static int write_temporary(struct store *store)
{
	int fd = openat(store->directory, TEMPORARY_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	                0644);
	FILE *stream = fd < 0 ? NULL : fdopen(fd, "w");
	int error = 0;

	if (stream == NULL) {
		error = errno;
		if (fd >= 0)
			close(fd);
		return -error;
	}
	pool_write(&store->pool, stream);
	/* On disk before the name is: a crash after rename must not leave an empty file. */
	if (fflush(stream) != 0 || fsync(fd) != 0)
		error = errno;
	if (fclose(stream) != 0 && error == 0)
		error = errno;
	return -error;
}

int store_commit(struct store *store, struct cni_error *error)
{
	int result = write_temporary(store);

	if (result != 0)
		return failed(error, -result, "write the leases in", store->path);
	if (renameat(store->directory, TEMPORARY_FILE, store->directory, LEASES_FILE) != 0)
		return failed(error, errno, "replace the leases in", store->path);
	if (fsync(store->directory) != 0)
		return failed(error, errno, "save the leases in", store->path);
	return 0;
}

void store_close(struct store *store)
{
	cleanup_close(&store->lock);
	cleanup_close(&store->directory);
	pool_free(&store->pool);
	free(store->text);
	*store = (struct store){.directory = -1, .lock = -1};
}
