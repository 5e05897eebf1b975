/* Any text: nothing is lost, and sharing what is shared changes nothing. */
#include "interceptor/mountinfo.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	char *once = malloc(mountinfo_room(text, size));
	size_t length = mountinfo_share(text, size, once);
	char *twice = malloc(mountinfo_room(once, length));

	assert(length >= size && length <= mountinfo_room(text, size));
	assert(mountinfo_share(once, length, twice) == length);
	assert(memcmp(once, twice, length) == 0);
	free(once);
	free(twice);
	return 0;
}
