/*
 * Input: an address, a size and a map of pages. Checks that a string is read as if byte by byte,
 * that nothing is written beyond the buffer, and that no page is touched that the string has not.
 */
#include "interceptor/memory.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 4096, PAGES = 4 };

struct memory {
	const uint8_t *bytes; /* repeated as often as it takes */
	size_t size;
	uint8_t present; /* one bit for each page */
};

static int byte_at(const struct memory *memory, uint64_t address, char *byte)
{
	if (address >= PAGE * PAGES || (memory->present >> (address / PAGE) & 1) == 0)
		return -EFAULT;
	*byte = (char)memory->bytes[address % memory->size];
	return 0;
}

static int read_memory(void *context, uint64_t address, void *buffer, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (byte_at(context, address + i, (char *)buffer + i) != 0)
			return -EFAULT;
	return 0;
}

static ssize_t expected(const struct memory *memory, uint64_t address, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		char byte;

		if (byte_at(memory, address + i, &byte) != 0)
			return -EFAULT;
		if (byte == '\0')
			return (ssize_t)i;
	}
	return -ENAMETOOLONG;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory memory;
	uint16_t address, room;
	ssize_t length, wanted;
	char *text;

	if (size < 6)
		return 0;
	memcpy(&address, data, 2);
	memcpy(&room, data + 2, 2);
	memory = (struct memory){.bytes = data + 5, .size = size - 5, .present = data[4]};
	text = malloc((size_t)room + 1);
	length = memory_string(read_memory, &memory, address, text, room);
	wanted = expected(&memory, address, room);
	/* Reading whole pages may find one missing that only the buffer's end would have spared. */
	assert(length == wanted || (length == -EFAULT && wanted == -ENAMETOOLONG));
	assert(length < 0 || strlen(text) == (size_t)length);
	free(text);
	return 0;
}
