#include "cni/config.h"
#include "lib/json.h"
#include "lib/json_print.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A string that was read, written out, is read as itself. */
static void check_string(const char *text)
{
	char *written = NULL;
	size_t length;
	struct failure failure;
	struct json json;
	FILE *stream = open_memstream(&written, &length);

	json_print_string(stream, text);
	fclose(stream);
	if (json_parse(written, length, &json, &failure) != 0 ||
	    strcmp(json.values->text, text) != 0)
		abort();
	json_free(&json);
	free(written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy without a NUL behind it, so that reading beyond the end is seen. */
	char *text = malloc(size > 0 ? size : 1);
	struct config config;
	struct cni_error error;
	struct json json;

	memcpy(text, data, size);
	if (json_parse(text, size, &json, &error.failure) == 0) {
		for (size_t i = 0; i < json.count; i++) {
			const struct json_value *value = &json.values[i];

			if (value->start >= value->end || value->end > size ||
			    value->first >= json.count || value->next >= json.count)
				abort();
			if (value->text != NULL)
				check_string(value->text);
		}
		config_read(&json, &config, &error);
	}
	json_free(&json);
	free(text);
	return 0;
}
