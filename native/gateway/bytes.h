/* Numbers in network byte order, wherever in a packet they are. */
#ifndef GATEWAY_BYTES_H
#define GATEWAY_BYTES_H

#include <stddef.h>
#include <stdint.h>

static inline uint16_t read16(const unsigned char *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t read32(const unsigned char *at)
{
	return (uint32_t)read16(at) << 16 | read16(at + 2);
}

/* Of the value its lower half. */
static inline void write16(unsigned char *at, size_t value)
{
	at[0] = (unsigned char)(value >> 8);
	at[1] = (unsigned char)value;
}

static inline void write32(unsigned char *at, uint32_t value)
{
	write16(at, value >> 16);
	write16(at + 2, value & UINT16_MAX);
}

#endif
