#include "gateway/echo_packet.h"

#include <netinet/in.h>
#include <string.h>

#include "gateway/bytes.h"
#include "gateway/datagram.h"

#define ANSWER 0
#define REQUEST 8

static bool read_message(const unsigned char *message, size_t size, int type,
                         struct echo_packet *out)
{
	if (size < ECHO_ICMP_SIZE || message[0] != type || message[1] != 0)
		return false;
	out->id = read16(message + 4);
	out->sequence = read16(message + 6);
	out->payload = message + ECHO_ICMP_SIZE;
	out->size = size - ECHO_ICMP_SIZE;
	return true;
}

bool echo_packet_read(const unsigned char *packet, size_t size, struct echo_packet *out)
{
	if (size < ECHO_IP_SIZE)
		return false;
	size_t ip_size = (packet[0] & 15U) * 4U;
	size_t total = read16(packet + 2);
	bool fragment = (read16(packet + 6) & 0x3fff) != 0;

	if (packet[0] >> 4 != 4 || packet[9] != IPPROTO_ICMP || fragment || ip_size < ECHO_IP_SIZE ||
	    total > size || total < ip_size)
		return false;
	out->source = read32(packet + 12);
	out->destination = read32(packet + 16);
	return read_message(packet + ip_size, total - ip_size, REQUEST, out);
}

bool echo_packet_read_answer(const unsigned char *message, size_t size, struct echo_packet *out)
{
	return read_message(message, size, ANSWER, out);
}

static size_t write_message(const struct echo_packet *packet, unsigned char type,
                            unsigned char *out, size_t room)
{
	size_t size = ECHO_ICMP_SIZE + packet->size;

	if (size > room)
		return 0;
	memset(out, 0, ECHO_ICMP_SIZE);
	out[0] = type;
	write16(out + 4, packet->id);
	write16(out + 6, packet->sequence);
	memcpy(out + ECHO_ICMP_SIZE, packet->payload, packet->size);
	write16(out + 2, datagram_checksum(out, size));
	return size;
}

size_t echo_packet_write_request(const struct echo_packet *packet, unsigned char *out, size_t room)
{
	return write_message(packet, REQUEST, out, room);
}

size_t echo_packet_write_answer(const struct echo_packet *packet, unsigned char *out, size_t room)
{
	size_t total = ECHO_IP_SIZE + ECHO_ICMP_SIZE + packet->size;

	if (total > room || total > UINT16_MAX)
		return 0;
	datagram_write_header(out, IPPROTO_ICMP, packet->source, packet->destination, total);
	write_message(packet, ANSWER, out + ECHO_IP_SIZE, room - ECHO_IP_SIZE);
	return total;
}
