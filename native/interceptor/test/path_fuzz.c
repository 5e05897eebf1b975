/* Input: a base, a zero byte, a path. Whatever they are, the result obeys the promises made. */
#include "interceptor/mountinfo.h"
#include "interceptor/path.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *base = malloc(size + 2);
	const char *path, *process;
	size_t length;
	char text[64];
	struct resolved resolved = {.text = text, .size = sizeof text};

	memcpy(base, data, size);
	base[size] = base[size + 1] = '\0';
	path = base + strlen(base) + 1;
	if (path_resolve(base, path, &resolved) == 0) {
		assert(text[0] == '/' && strlen(text) < sizeof text);
		assert(path[0] == '/' || base[0] == '/');
		assert(strstr(text, "//") == NULL || path[0] != '/');
		if (path[0] == '/') {
			struct resolved again = {.text = (char[64]){0}, .size = 64};

			/* No dots are left to resolve. */
			assert(path_resolve("/", text, &again) == 0);
			assert(strcmp(again.text, text) == 0);
		}
	}
	path_last(path, &length);
	assert(length <= strlen(path));
	if (mountinfo_path(path, &process, &length))
		assert(process == path + 6 && length > 0 && length < strlen(path));
	free(base);
	return 0;
}
