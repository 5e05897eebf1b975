#include "gateway/pod_journal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/command.h"
#include "lib/cleanup.h"
#include "lib/io.h"

/* More than any node has pods. */
#define SIZE_MAXIMUM (16 * 1024 * 1024)

static int read_line(char *line, struct pods *pods, int (*add)(struct pods *, const struct pod *),
                     struct failure *failure)
{
	struct command command;
	int status = command_parse(line, strlen(line), &command, failure);

	if (status < 0)
		return status;
	if (command.verb != COMMAND_ATTACH) {
		command_free(&command);
		return fail_input(failure, "Bad line in the journal of pods: must be an attach");
	}
	/* A pod that ended while there was no gateway. */
	if (access(command.pod.netns, F_OK) != 0)
		return 0;
	command.pod.inherited = true;
	status = add(pods, &command.pod);
	return status < 0 ? fail(failure, -status, "remember pod %s", command.pod.name) : 0;
}

int pod_journal_read(const char *path, struct pods *pods,
                     int (*add)(struct pods *, const struct pod *), struct failure *failure)
{
	cleanup_free char *text = NULL;
	char *rest;
	int status = io_read_file(path, SIZE_MAXIMUM, &text, NULL);

	if (status == -ENOENT)
		return 0;
	if (status < 0)
		return fail(failure, -status, "read %s", path);
	for (char *line = strtok_r(text, "\n", &rest); line != NULL && status == 0;
	     line = strtok_r(NULL, "\n", &rest))
		status = read_line(line, pods, add, failure);
	return status;
}

static int write_pods(FILE *file, const struct pods *pods)
{
	for (struct list *node = pods->pods.next; node != &pods->pods; node = node->next) {
		const struct pod *pod = list_object(node, struct pod, node);
		const struct in_addr address = {htonl(pod->address)};
		char text[INET_ADDRSTRLEN];

		inet_ntop(AF_INET, &address, text, sizeof(text));
		if (fprintf(file, "attach %s %s %s %s\n", pod->container, pod->name, text,
		            pod->netns) < 0)
			return -errno;
	}
	return 0;
}

int pod_journal_write(const char *path, const struct pods *pods, struct failure *failure)
{
	cleanup_free char *temporary = NULL;

	if (path == NULL)
		return 0;
	if (asprintf(&temporary, "%s.new", path) < 0) {
		temporary = NULL;
		return fail(failure, ENOMEM, "write %s", path);
	}
	FILE *file = fopen(temporary, "we");
	if (file == NULL)
		return fail(failure, errno, "open %s", temporary);
	int status = write_pods(file, pods);
	if (fclose(file) != 0 && status == 0)
		status = -errno;
	if (status == 0 && rename(temporary, path) != 0)
		status = -errno;
	return status < 0 ? fail(failure, -status, "write %s", path) : 0;
}
