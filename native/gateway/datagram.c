#include "gateway/datagram.h"

#include <netinet/in.h>
#include <string.h>

#include "gateway/bytes.h"

#define IP_SIZE 20
#define UDP_SIZE 8
#define ETHERTYPE_IPV4 0x0800
#define TTL 64

bool datagram_read_packet(const unsigned char *ip, size_t size, struct datagram *out)
{
	if (size < DATAGRAM_PACKET_HEADERS)
		return false;
	size_t ip_size = (ip[0] & 15U) * 4U;
	size_t total = read16(ip + 2);
	bool fragment = (read16(ip + 6) & 0x3fff) != 0;

	if (ip[0] >> 4 != 4 || ip[9] != IPPROTO_UDP || fragment || ip_size < IP_SIZE ||
	    total > size || total < ip_size + UDP_SIZE)
		return false;
	const unsigned char *udp = ip + ip_size;
	size_t udp_size = read16(udp + 4);

	if (udp_size < UDP_SIZE || udp_size > total - ip_size)
		return false;
	*out = (struct datagram){
	    .source = {.address = read32(ip + 12), .port = read16(udp)},
	    .destination = {.address = read32(ip + 16), .port = read16(udp + 2)},
	    .payload = udp + UDP_SIZE,
	    .size = udp_size - UDP_SIZE,
	};
	return true;
}

bool datagram_read_frame(const unsigned char *frame, size_t size, struct datagram *out)
{
	return size >= DATAGRAM_FRAME_HEADER && read16(frame + 12) == ETHERTYPE_IPV4 &&
	       datagram_read_packet(frame + DATAGRAM_FRAME_HEADER, size - DATAGRAM_FRAME_HEADER,
	                            out);
}

bool datagram_frame_is_from(const unsigned char *frame, uint32_t address)
{
	const unsigned char *mac = frame + 6;

	return mac[0] == 0x0a && mac[1] == 0x58 && read32(mac + 2) == address;
}

bool datagram_frame_is_of(const unsigned char *frame, const unsigned char *hardware_address)
{
	return memcmp(frame + 6, hardware_address, 6) == 0;
}

/* RFC 1071, over 16-bit words; an odd byte counts as a word's first. */
static uint32_t add_up(uint32_t sum, const unsigned char *bytes, size_t size)
{
	for (; size >= 2; bytes += 2, size -= 2)
		sum += read16(bytes);
	return size == 0 ? sum : sum + ((uint32_t)bytes[0] << 8);
}

static uint16_t fold(uint32_t sum)
{
	while (sum > UINT16_MAX)
		sum = (sum & UINT16_MAX) + (sum >> 16);
	return (uint16_t)~sum;
}

uint16_t datagram_checksum(const unsigned char *bytes, size_t size)
{
	return fold(add_up(0, bytes, size));
}

static void write_udp(const struct datagram *datagram, unsigned char *udp,
                      const unsigned char *addresses)
{
	size_t size = UDP_SIZE + datagram->size;

	write16(udp, datagram->source.port);
	write16(udp + 2, datagram->destination.port);
	write16(udp + 4, size);
	write16(udp + 6, 0);
	memcpy(udp + UDP_SIZE, datagram->payload, datagram->size);
	/* The pseudo header: addresses, protocol, length. */
	uint32_t pseudo = add_up(IPPROTO_UDP + (uint32_t)size, addresses, 8);
	uint16_t value = fold(add_up(pseudo, udp, size));
	/* Zero would say that there is none. */
	write16(udp + 6, value == 0 ? UINT16_MAX : value);
}

void datagram_write_header(unsigned char *out, uint8_t protocol, uint32_t source,
                           uint32_t destination, size_t total)
{
	memset(out, 0, IP_SIZE);
	out[0] = 4 << 4 | IP_SIZE / 4;
	write16(out + 2, total);
	out[8] = TTL;
	out[9] = protocol;
	write32(out + 12, source);
	write32(out + 16, destination);
	write16(out + 10, datagram_checksum(out, IP_SIZE));
}

size_t datagram_write_packet(const struct datagram *datagram, unsigned char *out, size_t room)
{
	size_t total = DATAGRAM_PACKET_HEADERS + datagram->size;

	if (total > UINT16_MAX || total > room)
		return 0;
	datagram_write_header(out, IPPROTO_UDP, datagram->source.address,
	                      datagram->destination.address, total);
	write_udp(datagram, out + IP_SIZE, out + 12);
	return total;
}
