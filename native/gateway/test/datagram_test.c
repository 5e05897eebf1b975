#include "gateway/datagram.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/test/tap.h"

/* A frame as a pod's kernel makes it: "hi" from 10.42.0.5:40000 to 192.0.2.7:7. */
static const unsigned char example[] = {
    0x0a, 0x58, 0x0a, 0x2a, 0x00, 0x01, 0x0a, 0x58, 0x0a, 0x2a, 0x00, 0x05, 0x08, 0x00, /* */
    0x45, 0x00, 0x00, 0x1e, 0x00, 0x00, 0x00, 0x00, 0x40, 0x11, 0xae, 0x99,             /* */
    0x0a, 0x2a, 0x00, 0x05, 0xc0, 0x00, 0x02, 0x07,                                     /* */
    0x9c, 0x40, 0x00, 0x07, 0x00, 0x0a, 0x2e, 0xf3, 'h',  'i'};
static const unsigned char *const packet = example + DATAGRAM_FRAME_HEADER;
static const size_t packet_size = sizeof(example) - DATAGRAM_FRAME_HEADER;

static void reads(void)
{
	struct datagram datagram;

	check(datagram_read_frame(example, sizeof(example), &datagram), "a frame is read");
	check(datagram.source.address == 0x0a2a0005 && datagram.source.port == 40000, "its source");
	check(datagram.destination.address == 0xc0000207 && datagram.destination.port == 7,
	      "its destination");
	check(datagram.size == 2 && memcmp(datagram.payload, "hi", 2) == 0, "its payload");
}

static void writes(void)
{
	unsigned char out[sizeof(example)];
	struct datagram datagram;

	datagram_read_frame(example, sizeof(example), &datagram);
	check_number((long)datagram_write_packet(&datagram, out, packet_size), (long)packet_size,
	             "what was read is written");
	check(memcmp(out, packet, packet_size) == 0, "byte for byte, checksums too");
	check_number((long)datagram_write_packet(&datagram, out, packet_size - 1), 0,
	             "if there is room");
	datagram.size = UINT16_MAX;
	check_number((long)datagram_write_packet(&datagram, out, SIZE_MAX), 0,
	             "and if IP can hold it");
}

static void refuses(void)
{
	static const struct {
		const char *what;
		size_t at;
		unsigned char value;
	} bad[] = {
	    {"another protocol than IPv4", 13, 0x06},
	    {"another version", 14, 0x65},
	    {"a header that is too short", 14, 0x44},
	    {"options beyond the packet", 14, 0x4f},
	    {"a packet longer than the frame", 17, 0x1f},
	    {"a packet too short for UDP", 17, 0x1b},
	    {"the first fragment of several", 20, 0x20},
	    {"a later fragment", 21, 0x01},
	    {"TCP", 23, 0x06},
	    {"a datagram longer than the packet", 39, 0x0b},
	    {"a datagram shorter than its header", 39, 0x07},
	};
	struct datagram datagram;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		unsigned char frame[sizeof(example)];
		memcpy(frame, example, sizeof(example));
		frame[bad[i].at] = bad[i].value;
		check(!datagram_read_frame(frame, sizeof(frame), &datagram), "%s is refused",
		      bad[i].what);
	}
	check(!datagram_read_frame(example, sizeof(example) - 3, &datagram),
	      "and a frame cut short");
}

static void tells_links_apart(void)
{
	/* 10.42.0.9 */
	unsigned char frame[sizeof(example)] = {[6] = 0x0a, [7] = 0x58, [8] = 10, [9] = 42, [11] = 9};

	check(datagram_frame_is_from(frame, 0x0a2a0009), "the link of the address");
	check(!datagram_frame_is_from(frame, 0x0a2a0008), "that of another");
	frame[7] = 0x59;
	check(!datagram_frame_is_from(frame, 0x0a2a0009), "one that the plugin has not made");
}

/* `datagram_test SOURCE DESTINATION PORT`: sends one, from whatever address it is told. */
static int send_one(char **arguments)
{
	static unsigned char bytes[64];
	struct in_addr source, destination;
	const struct datagram datagram = {.payload = (const unsigned char *)"PING", .size = 4};
	struct datagram filled = datagram;
	int raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

	inet_pton(AF_INET, arguments[1], &source);
	inet_pton(AF_INET, arguments[2], &destination);
	filled.source = (struct endpoint){ntohl(source.s_addr), 40000};
	filled.destination =
	    (struct endpoint){ntohl(destination.s_addr), (uint16_t)atoi(arguments[3])};
	size_t size = datagram_write_packet(&filled, bytes, sizeof(bytes));
	const struct sockaddr_in to = endpoint_to_socket(filled.destination);
	ssize_t sent = sendto(raw, bytes, size, 0, (const struct sockaddr *)&to, sizeof(to));
	return sent == (ssize_t)size ? 0 : 1;
}

int main(int count, char **arguments)
{
	if (count == 4)
		return send_one(arguments);
	tells_links_apart();
	reads();
	writes();
	refuses();
	return tap_done();
}
