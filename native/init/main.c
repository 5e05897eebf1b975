/*
 * init: runs processes in namespaces of their own, as a launch file says, and ends with them.
 * README.md has the grammar of the launch file and of the status lines.
 */
#include "init/launch.h"
#include "init/parent.h"
#include "init/signals.h"
#include "init/status.h"
#include "lib/cleanup.h"
#include "lib/die.h"
#include "lib/io.h"
#include "lib/number.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LAUNCH_FILE_MAXIMUM (16 * 1024 * 1024)
#define USAGE "usage: init [--status-fd N] LAUNCHFILE"

struct options {
	const char *launch_file;
	int status_fd; /* -1: none */
};

static struct options parse_options(int count, char **arguments)
{
	struct options options = {.status_fd = -1};
	unsigned long fd;
	int next = 1;

	if (count >= 3 && strcmp(arguments[1], "--status-fd") == 0) {
		if (number_parse(arguments[2], 10, INT_MAX, &fd) != 0)
			die_usage("Bad --status-fd \"%s\": expected a number\n%s", arguments[2],
			          USAGE);
		options.status_fd = (int)fd;
		next = 3;
	}
	if (count != next + 1)
		die_usage(USAGE);
	options.launch_file = arguments[next];
	return options;
}

/* musl has no close_range(2). */
static int close_descriptors(unsigned int first, unsigned int last)
{
	return (int)syscall(SYS_close_range, first, last, 0);
}

/* A pipe of our starter's that we kept open would keep whoever reads it waiting for as long. */
static void close_inherited(int status_fd)
{
	unsigned int first = STDERR_FILENO + 1;

	if (status_fd > STDERR_FILENO) {
		if (status_fd > (int)first &&
		    close_descriptors(first, (unsigned int)status_fd - 1) != 0)
			die_errno("close inherited files");
		first = (unsigned int)status_fd + 1;
		if (fcntl(status_fd, F_SETFD, FD_CLOEXEC) != 0)
			die_errno("use status file descriptor %d", status_fd);
	}
	if (close_descriptors(first, UINT_MAX) != 0)
		die_errno("close inherited files");
}

int main(int count, char **arguments)
{
	struct options options;
	struct launch launch;
	struct position position = {.line = 0, .directive = "-"};
	struct failure failure;
	cleanup_free char *text = NULL;
	size_t size;
	int error;

	/* Before anything else, or one that comes now would be lost or fatal. */
	signals_block();
	options = parse_options(count, arguments);
	close_inherited(options.status_fd);
	error = io_read_file(options.launch_file, LAUNCH_FILE_MAXIMUM, &text, &size);
	if (error == 0 && strlen(text) != size)
		error = -EILSEQ;
	if (error != 0) {
		fail(&failure, -error, "read %s", options.launch_file);
		status_failed(options.status_fd, &position, &failure);
		return 1;
	}
	if (launch_parse(text, &launch, &position, &failure) != 0) {
		status_failed(options.status_fd, &position, &failure);
		return 2;
	}
	return parent_run(&launch, options.status_fd);
}
