/* UDP datagrams in what carries them, read and written by hand. Pure. */
#ifndef GATEWAY_DATAGRAM_H
#define GATEWAY_DATAGRAM_H

#include <stddef.h>

#include "gateway/endpoint.h"

/** Bytes before the payload: Ethernet, and IPv4 without options and UDP. */
#define DATAGRAM_FRAME_HEADER 14
#define DATAGRAM_PACKET_HEADERS (20 + 8)

struct datagram {
	struct endpoint source;
	struct endpoint destination;
	const unsigned char *payload;
	size_t size; /**< of the payload */
};

/**
 * Reads an IPv4 packet of `size` bytes; the payload points into it. False where it is anything but
 * one whole UDP datagram. Nothing is read of the payload: where the packet was cut off, all but that
 * must be there. Checksums are not looked at: on links that never leave the machine the sender leaves
 * them out.
 */
bool datagram_read_packet(const unsigned char *packet, size_t size, struct datagram *out);

/** The same of an Ethernet frame. */
bool datagram_read_frame(const unsigned char *frame, size_t size, struct datagram *out);

/**
 * Whether the frame came from the link that the CNI plugin gave the address (host byte order): the
 * hardware address holds it, and a process that may write packets cannot write frames.
 */
bool datagram_frame_is_from(const unsigned char *frame, uint32_t address);

/** Whether the frame came from a link of the hardware address. */
bool datagram_frame_is_of(const unsigned char *frame, const unsigned char *hardware_address);

/** Of RFC 1071. */
uint16_t datagram_checksum(const unsigned char *bytes, size_t size);

/** Writes the 20 bytes of an IPv4 header, for a packet of `total`. */
void datagram_write_header(unsigned char *out, uint8_t protocol, uint32_t source,
                           uint32_t destination, size_t total);

/** Writes an IPv4 packet, with checksums. Its size, or 0 where it would exceed `room`. */
size_t datagram_write_packet(const struct datagram *datagram, unsigned char *out, size_t room);

#endif
