#include "init/status.h"

#include "lib/errno_name.h"
#include "lib/fields.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((format(printf, 2, 3))) static void send_line(int fd, const char *format, ...)
{
	struct pollfd room = {.fd = fd, .events = POLLOUT};
	/* Twice the longest message, escaped; and less than PIPE_BUF, so that a line stays whole.
	 */
	char line[2048];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	if (fd < 0 || length < 0 || (size_t)length >= sizeof line)
		return;
	if (poll(&room, 1, 0) == 1 && (room.revents & POLLOUT) != 0 &&
	    write(fd, line, (size_t)length) < 0 && errno != EPIPE)
		perror("Failed to write a status line");
}

void status_failed(int fd, const struct position *position, const struct failure *failure)
{
	char message[2 * sizeof failure->message];
	int errnum = failure->error != 0 ? failure->error : EINVAL;

	fprintf(stderr, "%s\n", failure->message);
	if (fields_escape(failure->message, message, sizeof message) < 0)
		return;
	send_line(fd, "failed\t%u\t%s\t%s\t%s\n", position->line, position->directive,
	          errno_name(errnum), message);
}

void status_started(int fd, const char *name, pid_t pid)
{
	send_line(fd, "started\t%s\t%d\n", name, (int)pid);
}

void status_exited(int fd, const char *name, int status)
{
	if (WIFSIGNALED(status))
		send_line(fd, "exited\t%s\tsignal\t%d\n", name, WTERMSIG(status));
	else
		send_line(fd, "exited\t%s\texit\t%d\n", name, WEXITSTATUS(status));
}

void status_note_exit(const char *name, int status)
{
	fprintf(stderr, "%s ended with %s %d\n", name, WIFSIGNALED(status) ? "signal" : "exit",
	        WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

void status_ready(int fd)
{
	send_line(fd, "ready\n");
}
