/* Strings in a memory of pages of which some are missing. */
#include "interceptor/memory.h"

#include "lib/test/tap.h"

#include <errno.h>

#define PAGE 4096U

/* Pages 1 and 2 are there, page 3 is not. */
struct memory {
	char bytes[PAGE * 4];
	int reads;
};

static int read_memory(void *context, uint64_t address, void *buffer, size_t size)
{
	struct memory *memory = context;

	memory->reads++;
	if (address < PAGE || address > PAGE * 3 || size > PAGE * 3 - address)
		return -EFAULT;
	memcpy(buffer, memory->bytes + address, size);
	return 0;
}

int main(void)
{
	static struct memory memory;
	char text[PAGE * 2];

	memset(memory.bytes, 'x', sizeof memory.bytes);
	memcpy(memory.bytes + PAGE * 3 - 6, "/proc", 6);
	check_number(memory_string(read_memory, &memory, PAGE * 3 - 6, text, 64), 5,
	             "a string that ends with its page");
	check_text(text, "/proc", "what it says");
	memcpy(memory.bytes + PAGE * 2 - 3, "/proc", 6);
	memory.reads = 0;
	check_number(memory_string(read_memory, &memory, PAGE * 2 - 3, text, 64), 5,
	             "a string across pages");
	check_text(text, "/proc", "what it says");
	check_number(memory.reads, 2, "one read for each page");
	memory.bytes[PAGE + 1000] = '\0';
	check_number(memory_string(read_memory, &memory, PAGE, text, sizeof text), 1000,
	             "a long string");
	check_number(memory_string(read_memory, &memory, PAGE, text, 1000), -ENAMETOOLONG,
	             "a string that does not fit");
	check_number(memory_string(read_memory, &memory, PAGE * 3 - 5, text, 64), 4, "its tail");
	memory.bytes[PAGE * 3 - 1] = 'x';
	check_number(memory_string(read_memory, &memory, PAGE * 3 - 5, text, 64), -EFAULT,
	             "a string that runs out of memory");
	check_number(memory_string(read_memory, &memory, 0, text, 64), -EFAULT, "no string at all");
	check_number(memory_string(read_memory, &memory, UINT64_MAX - 2, text, 64), -EFAULT,
	             "the end of the address space");
	return tap_done();
}
