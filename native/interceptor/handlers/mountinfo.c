/*
 * Symptom: kubelet ends with "error configuring root directory: failed to bind-mount
 * /var/lib/kubelet: operation not permitted".
 * Source: Kubernetes pkg/kubelet/kubelet.go, MakeRShared: it bind-mounts its directory on itself
 * and makes it shared, unless /proc/self/mountinfo says that it is. Where this handler is needed
 * nothing can be mounted, so nothing is propagated either and the answer changes nothing else.
 * Remove when kubelet can be told to leave its directory alone.
 */
#include "interceptor/mountinfo.h"
#include "interceptor/generated.h"
#include "interceptor/handler.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reads all of a procfs file, which does not know its size. Returns its length or -errno. */
static ssize_t read_all(const char *path, char **text)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0, room = 0;
	ssize_t count;

	if (fd < 0)
		return -errno;
	do {
		if (room - length < 4096) {
			char *larger = realloc(*text, room = room * 2 + 16384);

			if (larger == NULL)
				return -ENOMEM;
			*text = larger;
		}
		count = read(fd, *text + length, room - length);
		if (count < 0)
			return -errno;
		length += (size_t)count;
	} while (count > 0);
	return (ssize_t)length;
}

/* Reads the mountinfo and shares its mounts. Returns the length, 0 if nothing changed, -errno. */
static ssize_t shared_mountinfo(const char *path, char **shared)
{
	cleanup_free char *text = NULL;
	ssize_t length = read_all(path, &text);
	size_t result;

	if (length < 0)
		return length;
	*shared = malloc(mountinfo_room(text, (size_t)length));
	if (*shared == NULL)
		return -ENOMEM;
	result = mountinfo_share(text, (size_t)length, *shared);
	return result == (size_t)length ? 0 : (ssize_t)result;
}

static int prepare(const char *root, struct failure *failure)
{
	cleanup_free char *shared = NULL;
	ssize_t length = shared_mountinfo("/proc/self/mountinfo", &shared);
	int error;

	if (length < 0)
		return fail(failure, (int)-length, "read /proc/self/mountinfo");
	if (length == 0)
		return 0;
	error = generated_begin(root);
	return error == 0 ? 1 : fail(failure, -error, "make %s/.generated", root);
}

static bool match(const struct answers *answers, const char *path)
{
	const char *process;
	size_t length;

	(void)answers;
	return mountinfo_path(path, &process, &length);
}

/* The tracee's "self" is not ours. */
static int real_path(const struct request *request, char *path, size_t size)
{
	const char *process;
	size_t length;

	mountinfo_path(request->path, &process, &length);
	if (strncmp(process, "thread-self", 11) == 0)
		return snprintf(path, size, "/proc/%d/mountinfo", request->tracee);
	if (strncmp(process, "self", 4) == 0)
		return snprintf(path, size, "/proc/%d%.*s/mountinfo", request->tracee,
		                (int)length - 4, process + 4);
	return snprintf(path, size, "%s", request->path);
}

static int answer(const struct answers *answers, struct request *request)
{
	cleanup_free char *shared = NULL;
	char path[128];
	ssize_t length;
	int error;

	if ((request->flags & O_ACCMODE) != O_RDONLY ||
	    real_path(request, path, sizeof path) >= (int)sizeof path)
		return 0;
	length = shared_mountinfo(path, &shared);
	/* A process that has ended or may not be looked at: the tracee shall see that for itself.
	 */
	if (length <= 0)
		return 0;
	error = generated_make(answers->root, shared, (size_t)length, request->target);
	request->has_file = error == 0;
	return error == 0 ? 1 : error;
}

const struct handler mountinfo_handler = {
    .name = "mountinfo",
    .calls = CALL_OPEN,
    .last = "mountinfo",
    .prepare = prepare,
    .match = match,
    .answer = answer,
};
