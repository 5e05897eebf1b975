#include "gateway/echo_packet.h"

#include "lib/test/tap.h"

#include <string.h>

/* `ping -c 1 -s 4 8.8.8.8` of 10.42.0.5. */
static const unsigned char request[] = {
    0x45, 0x00, 0x00, 0x20, 0x12, 0x34, 0x40, 0x00, 0x40, 0x01, 0x00, 0x00, 10, 42, 0, 5,
    8,    8,    8,    8,    0x08, 0x00, 0x00, 0x00, 0xab, 0xcd, 0x00, 0x07, 'p', 'i', 'n', 'g'};

static void reads(void)
{
	static const struct {
		size_t at;
		unsigned char byte;
		const char *what;
	} table[] = {
	    {0, 0x65, "another version"},  {0, 0x44, "a header too short"},
	    {3, 0x21, "more than it has"}, {3, 0x1b, "less than a message"},
	    {6, 0x20, "a fragment"},       {9, 17, "another protocol"},
	    {20, 0, "an answer"},          {21, 1, "a code"},
	};
	struct echo_packet packet;

	check(echo_packet_read(request, sizeof(request), &packet), "a request is read");
	check(packet.source == 0x0a2a0005 && packet.destination == 0x08080808, "its addresses");
	check(packet.id == 0xabcd && packet.sequence == 7, "its numbers");
	check(packet.size == 4 && memcmp(packet.payload, "ping", 4) == 0, "what is echoed");
	for (size_t size = 0; size < sizeof(request); size++)
		check(!echo_packet_read(request, size, &packet), "none in %zu bytes", size);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		unsigned char changed[sizeof(request)];
		memcpy(changed, request, sizeof(request));
		changed[table[i].at] = table[i].byte;
		check(!echo_packet_read(changed, sizeof(changed), &packet), "not %s",
		      table[i].what);
	}
}

static void writes(void)
{
	const struct echo_packet packet = {
	    .source = 0x08080808,
	    .destination = 0x0a2a0005,
	    .id = 0xabcd,
	    .sequence = 7,
	    .payload = (const unsigned char *)"ping!",
	    .size = 5,
	};
	unsigned char out[64];
	struct echo_packet again;

	check_number((long)echo_packet_write_request(&packet, out, sizeof(out)), 13, "a request");
	check(out[0] == 8 && out[1] == 0, "is one");
	check_number((long)echo_packet_write_answer(&packet, out, sizeof(out)), 33, "an answer");
	check(out[9] == 1 && memcmp(out + 12, "\x08\x08\x08\x08\x0a\x2a\x00\x05", 8) == 0,
	      "from where, to whom");
	check(echo_packet_read_answer(out + ECHO_IP_SIZE, 13, &again) && again.id == 0xabcd &&
	          again.sequence == 7 && again.size == 5 && memcmp(again.payload, "ping!", 5) == 0,
	      "is read as such");
	check(!echo_packet_read(out, 33, &again), "and not as a request");
	check_number((long)echo_packet_write_answer(&packet, out, 32), 0, "without room");
	check_number((long)echo_packet_write_request(&packet, out, 12), 0, "none of either");
}

int main(void)
{
	reads();
	writes();
	return tap_done();
}
