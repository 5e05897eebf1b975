/* Frames: what is read lies within the bytes, and written as a packet it is read the same again. */
#include "gateway/datagram.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	/* The Ethernet header's place, which ends in the type of IPv4. */
	static unsigned char frame[DATAGRAM_FRAME_HEADER + UINT16_MAX] = {[12] = 0x08};
	struct datagram first, again;

	if (!datagram_read_frame(data, size, &first))
		return 0;
	require(first.payload >= data && first.payload + first.size <= data + size);
	size_t written = datagram_write_packet(&first, frame + DATAGRAM_FRAME_HEADER,
	                                       sizeof(frame) - DATAGRAM_FRAME_HEADER);
	require(written == DATAGRAM_PACKET_HEADERS + first.size);
	require(datagram_read_frame(frame, DATAGRAM_FRAME_HEADER + written, &again));
	require(endpoint_equal(first.source, again.source) &&
	        endpoint_equal(first.destination, again.destination) &&
	        first.size == again.size && memcmp(first.payload, again.payload, first.size) == 0);
	return 0;
}
