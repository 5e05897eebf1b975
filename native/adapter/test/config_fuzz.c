#include "adapter/adapt.h"
#include "adapter/hook.h"
#include "adapter/workaround.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_sysctl(const char *path, char *out, size_t size)
{
	if (strlen(path) % 2 == 0)
		return -ENOENT;
	snprintf(out, size, "10 20\n");
	return 0;
}

static bool is_empty_directory(const char *path)
{
	return strlen(path) % 2 == 0;
}

static const struct kernel kernel = {read_sysctl, is_empty_directory};
static const struct settings settings = {
    .workarounds = {"masked-directories", "pod-sysctls", "private-sysctls"},
    .workaround_count = 3,
};

static bool same_source(const struct json *a, const struct json_value *in_a, const struct json *b,
                        const struct json_value *in_b)
{
	size_t length = in_a->end - in_a->start;

	return length == in_b->end - in_b->start &&
	       memcmp(a->source + in_a->start, b->source + in_b->start, length) == 0;
}

/* Every member of `before` is in `after`, in its order and to the byte, but for those that may
 * change. */
static void check_members(const struct json *before, const struct json_value *in_before,
                          const struct json *after, const struct json_value *in_after,
                          const char *const *changing)
{
	const struct json_value *there = json_first(after, in_after);

	for (const struct json_value *here = json_first(before, in_before); here != NULL;
	     here = json_next(before, here), there = json_next(after, there)) {
		bool may_change = false;

		if (there == NULL || strcmp(here->name, there->name) != 0)
			abort();
		for (const char *const *name = changing; *name != NULL; name++)
			may_change |= strcmp(*name, here->name) == 0;
		if (!may_change && !same_source(before, here, after, there))
			abort();
	}
}

static void check_result(const struct json *before, const char *text, size_t size)
{
	static const char *const top[] = {"linux", "hooks", NULL};
	static const char *const system[] = {"sysctl", "maskedPaths", NULL};
	struct failure failure;
	struct json after;

	if (json_parse(text, size, &after, &failure) != 0)
		abort();
	if (before->values->type == JSON_OBJECT) {
		check_members(before, before->values, &after, after.values, top);
		if (json_member(before, before->values, "linux") != NULL &&
		    json_member(before, before->values, "linux")->type == JSON_OBJECT)
			check_members(before, json_member(before, before->values, "linux"), &after,
			              json_member(&after, after.values, "linux"), system);
	} else if (!same_source(before, before->values, &after, after.values)) {
		abort();
	}
	json_free(&after);
}

static void adapt_text(const struct json *json, size_t size)
{
	const struct view view = {.shown = "/s \"\\", .upper = "/u", .work = "/w"};
	const struct container container = container_of(json, "c");
	struct adaptation adaptation = {
	    .json = json,
	    .container = &container,
	    .kernel = &kernel,
	    .pod_shows_sysctls = size % 2 == 0,
	    .edits = {.json = json},
	};
	struct failure failure;
	size_t changed_size;

	if (adapt_decide(&settings, &adaptation, &failure) == 0) {
		char *changed, *hook = hook_print("/p", "/y", &view);

		if (json->values->type == JSON_OBJECT &&
		    (adaptation.needs_sysctls || adaptation.needs_writable_sysctls) &&
		    adapt_add_hook(&adaptation, hook) != 0)
			abort();
		changed = edits_apply(&adaptation.edits, size, &changed_size);
		check_result(json, changed, changed_size);
		free(changed);
		free(hook);
	}
	adaptation_free(&adaptation);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy without a NUL behind it, so that reading beyond the end is seen. */
	char *text = malloc(size > 0 ? size : 1);
	struct failure failure;
	struct json json;

	memcpy(text, data, size);
	if (json_parse(text, size, &json, &failure) == 0)
		adapt_text(&json, size);
	json_free(&json);
	free(text);
	return 0;
}
