#include "adapter/state.h"

#include "lib/cleanup.h"
#include "lib/directory.h"
#include "lib/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHOWN "sysctls"

/* An id is a directory's name here; containerd's have no other characters than these. */
static bool is_id(const char *id)
{
	return *id != '\0' && *id != '.' &&
	       id[strspn(id,
	                 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")] ==
	           '\0';
}

static int path_in(const char *directory, const char *id, const char *name,
                   char out[static PATH_MAX], struct failure *failure)
{
	if (!is_id(id))
		return fail_input(failure, "Bad container id \"%s\"", id);
	if (snprintf(out, PATH_MAX, "%s/%s/%s", directory, id, name) >= PATH_MAX)
		return fail(failure, ENAMETOOLONG, "name %s of container %s", name, id);
	return 0;
}

int state_shown_path(const char *directory, const char *sandbox, char out[static PATH_MAX],
                     struct failure *failure)
{
	return path_in(directory, sandbox, SHOWN, out, failure);
}

bool state_shows_sysctls(const char *directory, const char *sandbox)
{
	char path[PATH_MAX];
	struct failure ignored;

	return sandbox != NULL && state_shown_path(directory, sandbox, path, &ignored) == 0 &&
	       access(path, F_OK) == 0;
}

static int write_file(const char *path, const char *value, struct failure *failure)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int result = fd < 0 ? -errno : io_write(fd, value, strlen(value));

	if (result == 0)
		result = io_write(fd, "\n", 1);
	return result == 0 ? 0 : fail(failure, -result, "write %s", path);
}

static int show(const char *root, const struct shown_sysctl *shown, struct failure *failure)
{
	char path[PATH_MAX + sizeof shown->path + 1];
	char *slash;
	int result;

	snprintf(path, sizeof path, "%s/%s", root, shown->path);
	slash = strrchr(path, '/');
	*slash = '\0';
	result = directory_make(path, 0755, failure);
	*slash = '/';
	return result == 0 ? write_file(path, shown->value, failure) : result;
}

int state_show_sysctls(const char *directory, const char *sandbox, const struct shown_sysctl *shown,
                       size_t count, struct failure *failure)
{
	char root[PATH_MAX];
	int result = state_shown_path(directory, sandbox, root, failure);

	for (size_t i = 0; i < count && result == 0; i++)
		result = show(root, &shown[i], failure);
	return result;
}

int state_make_writable(const char *directory, const char *container, struct view *view,
                        struct failure *failure)
{
	int result = path_in(directory, container, "upper", view->upper, failure);

	if (result == 0)
		result = path_in(directory, container, "work", view->work, failure);
	if (result == 0)
		result = directory_make(view->upper, 0755, failure);
	return result == 0 ? directory_make(view->work, 0755, failure) : result;
}

int state_remove(const char *directory, const char *container, struct failure *failure)
{
	char path[PATH_MAX];
	int result = path_in(directory, container, "", path, failure);

	if (result != 0)
		return result;
	path[strlen(path) - 1] = '\0';
	return access(path, F_OK) == 0 ? directory_remove(path, failure) : 0;
}
