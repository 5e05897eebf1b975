/*
 * Symptom: kubelet ends with "failed to create kubelet: open /dev/kmsg: no such file or directory".
 * Source: Kubernetes pkg/kubelet/kubelet.go, oomwatcher.NewWatcher; it opens and reads it.
 * gVisor's /dev has none. /dev/null does: end of file only ends the reports of killed processes.
 * Remove when gVisor has /dev/kmsg.
 */
#include "interceptor/handler.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char path[] = "/dev/kmsg";

static int prepare(const char *root, struct failure *failure)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return answers_add_link(root, path, "/dev/null", failure);
	close(fd);
	return 0;
}

static bool match(const struct answers *answers, const char *asked)
{
	return strcmp(asked, path) == 0 && answers_have(answers, path);
}

static int answer(const struct answers *answers, struct request *request)
{
	int error = answers_target(answers, request->path, request->target);

	return error == 0 ? 1 : error;
}

const struct handler kmsg_handler = {
    .name = "kmsg",
    .calls = CALL_OPEN | CALL_STAT | CALL_ACCESS | CALL_READLINK,
    .prepare = prepare,
    .match = match,
    .answer = answer,
};
