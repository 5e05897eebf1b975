#include "cni/gateway.h"

#include "lib/cleanup.h"
#include "lib/io.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

/* Seconds to wait for an answer; it takes some milliseconds. */
#define PATIENCE 10
#define LINE_MAXIMUM 8192

static int open_gateway(const char *path)
{
	const struct timeval patience = {.tv_sec = PATIENCE};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	cleanup_fd int fd = -1;

	if ((size_t)snprintf(address.sun_path, sizeof address.sun_path, "%s", path) >=
	    sizeof address.sun_path)
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* The time to send is also that to connect, where the gateway's queue is full. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
		return -errno;
	return steal_fd(&fd);
}

/* Reads one line, without its newline. */
static int read_line(int fd, char *line, size_t size)
{
	size_t length = 0;

	while (length < size) {
		ssize_t count = read(fd, line + length, size - length);
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return count == 0 ? -ECONNRESET : -errno;
		length += (size_t)count;
		if (line[length - 1] == '\n') {
			line[length - 1] = '\0';
			return 0;
		}
	}
	return -EMSGSIZE;
}

/* Sends the line and reads the answer in its place; 0 or -errno. */
static int ask(const char *path, char *line, size_t size)
{
	cleanup_fd int fd = open_gateway(path);
	int result = fd < 0 ? fd : io_write(fd, line, strlen(line));

	return result != 0 ? result : read_line(fd, line, size);
}

int gateway_attach(const struct config *config, const struct request *request,
                   const struct pod *pod, struct cni_error *error)
{
	char line[LINE_MAXIMUM], address[INET_ADDRSTRLEN];
	int result = -ENAMETOOLONG;

	if (config->gateway_socket == NULL || request->pod[0] == '\0')
		return 0;
	inet_ntop(AF_INET, &pod->address.address, address, sizeof address);
	if ((size_t)snprintf(line, sizeof line, "attach %s %s %s %s\n", request->container,
	                     request->pod, address, request->netns) < sizeof line)
		result = ask(config->gateway_socket, line, sizeof line);
	error->code = CNI_TRY_AGAIN_LATER;
	if (result != 0)
		return fail(&error->failure, -result,
		            "ask the gateway at %s for the policies of %s", config->gateway_socket,
		            request->pod);
	if (strcmp(line, "ok") == 0)
		return 0;
	return fail_input(&error->failure, "The gateway refuses pod %s: %.300s", request->pod,
	                  line);
}

void gateway_detach(const struct config *config, const char *container)
{
	char line[LINE_MAXIMUM];

	if (config->gateway_socket != NULL &&
	    (size_t)snprintf(line, sizeof line, "detach %s\n", container) < sizeof line)
		ask(config->gateway_socket, line, sizeof line);
}
