/* ICMP echo requests in IPv4 packets, and the answers to them, read and written by hand. Pure. */
#ifndef GATEWAY_ECHO_PACKET_H
#define GATEWAY_ECHO_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes before what is echoed: IPv4 without options, ICMP. */
#define ECHO_IP_SIZE 20
#define ECHO_ICMP_SIZE 8

struct echo_packet {
	uint32_t source; /**< in host byte order */
	uint32_t destination;
	uint16_t id; /**< of the socket that asks */
	uint16_t sequence;
	const unsigned char *payload;
	size_t size; /**< of the payload */
};

/**
 * Reads an IPv4 packet of `size` bytes; the payload points into it. False where it is anything but
 * one whole echo request.
 */
bool echo_packet_read(const unsigned char *packet, size_t size, struct echo_packet *out);

/** Reads the message that a socket for ICMP echo received, of an answer; its source is left alone. */
bool echo_packet_read_answer(const unsigned char *message, size_t size, struct echo_packet *out);

/** Writes the message of a request. Its size, or 0 where it would exceed `room`. */
size_t echo_packet_write_request(const struct echo_packet *packet, unsigned char *out, size_t room);

/** Writes an IPv4 packet with an answer. Its size, or 0 where it would exceed `room`. */
size_t echo_packet_write_answer(const struct echo_packet *packet, unsigned char *out, size_t room);

#endif
