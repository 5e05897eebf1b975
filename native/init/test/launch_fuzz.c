#include "init/launch.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read must be whole: every operation with as many arguments as its type asks for. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct position position;
	struct failure failure;
	struct launch launch;

	if (launch_parse(text, &launch, &position, &failure) == 0) {
		for (size_t i = 0; i < launch.operation_count; i++)
			if (launch.operations[i].type == NULL || launch.operations[i].line == 0)
				abort();
	} else if (strlen(failure.message) == 0 || position.directive == NULL) {
		abort();
	}
	launch_free(&launch);
	free(text);
	return 0;
}
