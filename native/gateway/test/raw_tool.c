/*
 * raw SOURCE DESTINATION PORT: a datagram past this machine's own rules, by a raw socket that writes
 * the headers itself, as any container with CAP_NET_RAW can. Prints the answer, or "nothing" when none
 * came within a second.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/die.h"
#include "lib/number.h"

#define PATIENCE_MS 1000

static struct sockaddr_in address_of(const char *text)
{
	struct sockaddr_in address = {.sin_family = AF_INET};

	if (inet_pton(AF_INET, text, &address.sin_addr) != 1)
		die_usage("Bad address '%s'", text);
	return address;
}

static void send_raw(const struct sockaddr_in *from, const struct sockaddr_in *to)
{
	static const char payload[] = "PING";
	struct {
		struct iphdr ip;
		struct udphdr udp;
		char payload[sizeof(payload) - 1];
	} packet = {.ip = {.version = 4,
	                   .ihl = sizeof(struct iphdr) / 4,
	                   .ttl = 64,
	                   .protocol = IPPROTO_UDP,
	                   .tot_len = htons(sizeof(packet)),
	                   .saddr = from->sin_addr.s_addr,
	                   .daddr = to->sin_addr.s_addr},
	            .udp = {.source = from->sin_port,
	                    .dest = to->sin_port,
	                    .len = htons(sizeof(packet) - sizeof(struct iphdr))}};
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);

	memcpy(packet.payload, payload, sizeof(packet.payload));
	/* EPERM: Linux asks OUTPUT about these as well. */
	if (fd < 0 || (sendto(fd, &packet, sizeof(packet), 0, (const void *)to, sizeof(*to)) < 0 &&
	               errno != EPERM))
		die_errno("send a datagram by a raw socket");
}

int main(int argc, char **argv)
{
	unsigned long port;
	char answer[256];

	if (argc != 4 || number_parse(argv[3], 10, UINT16_MAX, &port) != 0)
		die_usage("usage: raw SOURCE DESTINATION PORT");
	struct sockaddr_in from = address_of(argv[1]), to = address_of(argv[2]);
	socklen_t size = sizeof(from);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || bind(fd, (const void *)&from, sizeof(from)) < 0 ||
	    getsockname(fd, (void *)&from, &size) < 0)
		die_errno("bind a UDP socket");
	to.sin_port = htons((uint16_t)port);
	send_raw(&from, &to);
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	ssize_t length = poll(&readable, 1, PATIENCE_MS) == 1
	                     ? recv(fd, answer, sizeof(answer), 0)
	                     : -1;
	printf("%.*s\n", length < 0 ? 7 : (int)length, length < 0 ? "nothing" : answer);
	return 0;
}
