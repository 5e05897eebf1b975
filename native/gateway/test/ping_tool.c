/*
 * ping_tool ADDRESS COUNT: so many echo requests one after the other, as an unprivileged ping sends
 * them; prints how many were answered, each within a second, with what was sent.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/die.h"

#define PATIENCE 1000

static int is_answered(int fd, unsigned char sequence)
{
	unsigned char request[64] = {[0] = 8, [7] = sequence};
	unsigned char answer[128];
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	memset(request + 8, sequence + 1, sizeof(request) - 8);
	if (send(fd, request, sizeof(request), 0) < 0 || poll(&poll_fd, 1, PATIENCE) != 1)
		return 0;
	return recv(fd, answer, sizeof(answer), 0) == sizeof(request) && answer[0] == 0 &&
	       memcmp(answer + 6, request + 6, sizeof(request) - 6) == 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in place = {.sin_family = AF_INET};
	int answered = 0;

	if (argc != 3 || inet_pton(AF_INET, argv[1], &place.sin_addr) != 1)
		die_usage("usage: ping_tool ADDRESS COUNT");
	int fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&place, sizeof(place)) < 0)
		die_errno("make a socket for ICMP echo");
	for (int i = 0; i < atoi(argv[2]); i++)
		answered += is_answered(fd, (unsigned char)i);
	printf("%d\n", answered);
	return 0;
}
