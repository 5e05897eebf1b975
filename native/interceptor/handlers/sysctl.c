/*
 * Symptom: kubelet ends with "Failed to start ContainerManager: [open /proc/sys/kernel/panic: no
 * such file or directory, open /proc/sys/vm/overcommit_memory: permission denied, ...]".
 * Source: Kubernetes pkg/kubelet/cm/container_manager_linux.go, setupKernelTunables; gVisor
 * pkg/sentry/fsimpl/proc/tasks_sys.go has what exists (gvisor.dev/issue/1833 for net/).
 * Remove when gVisor has these files, or lets them be written.
 */
#include "interceptor/handler.h"

#include "interceptor/path.h"
#include "interceptor/sysctls.h"
#include "lib/cleanup.h"

#include <fcntl.h>
#include <unistd.h>

/*
 * Whether the file can be read and takes what it holds: writing its own value back changes
 * nothing. gVisor's vm/overcommit_memory is there and cannot be written.
 */
static bool works(const char *path)
{
	cleanup_fd int fd = open(path, O_RDWR | O_CLOEXEC);
	char value[256];
	ssize_t length;

	if (fd < 0)
		return false;
	length = read(fd, value, sizeof value);
	return length > 0 && pwrite(fd, value, (size_t)length, 0) == length;
}

static int prepare(const char *root, struct failure *failure)
{
	for (const struct sysctl *sysctl = sysctls; sysctl->path != NULL; sysctl++) {
		int error = 0;

		if (!works(sysctl->path))
			error = answers_add_file(root, sysctl->path, sysctl->value, failure);
		if (error != 0)
			return error;
	}
	return 0;
}

static bool match(const struct answers *answers, const char *path)
{
	return path_below(path, "/proc/sys") != NULL && answers_have(answers, path);
}

static int answer(const struct answers *answers, struct request *request)
{
	int error;

	if (request->call->kind == CALL_STATFS) {
		/* Says "proc", which the file that answers would not. */
		error = answers_target(&(struct answers){0}, "/proc/sys", request->target);
		return error == 0 ? 1 : error;
	}
	error = answers_target(answers, request->path, request->target);
	if (error != 0)
		return error;
	/*
	 * A write to a sysctl replaces its value wherever the file position is. Emptying the file
	 * first does the same for those who only write, so that "1" over "10" is not "10" again.
	 */
	if (request->call->kind == CALL_OPEN && (request->flags & O_PATH) == 0) {
		request->flags &= ~O_APPEND;
		if ((request->flags & O_ACCMODE) == O_WRONLY)
			request->flags |= O_TRUNC;
	}
	return 1;
}

const struct handler sysctl_handler = {
    .name = "sysctl",
    .calls = CALL_OPEN | CALL_STAT | CALL_ACCESS | CALL_READLINK | CALL_STATFS | CALL_TRUNCATE |
             CALL_CHDIR,
    .prepare = prepare,
    .match = match,
    .answer = answer,
};
