/*
 * containerd asks for a devpts whose terminals belong to group 5. In a user namespace of one id there is
 * no such group, and the mount is refused: without the option they belong to the group there is.
 */
#include "adapter/workaround.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool names_group(const struct json_value *option)
{
	return option->type == JSON_STRING && strncmp(option->text, "gid=", strlen("gid=")) == 0;
}

static int print_kept(const struct json *json, const struct json_value *options, FILE *stream)
{
	const char *separator = "";
	int dropped = 0;

	fputc('[', stream);
	for (const struct json_value *option = json_first(json, options); option != NULL;
	     option = json_next(json, option)) {
		if (names_group(option)) {
			dropped++;
			continue;
		}
		fputs(separator, stream);
		fwrite(json->source + option->start, 1, option->end - option->start, stream);
		separator = ",";
	}
	fputc(']', stream);
	return dropped;
}

static int drop_groups(struct adaptation *adaptation, const struct json_value *options)
{
	cleanup_free char *kept = NULL;
	size_t size;
	FILE *stream = open_memstream(&kept, &size);
	int dropped;

	if (stream == NULL)
		return -ENOMEM;
	dropped = print_kept(adaptation->json, options, stream);
	if (fclose(stream) != 0)
		return -ENOMEM;
	return dropped == 0 ? 0 : edits_replace(&adaptation->edits, options, kept);
}

int one_id(struct adaptation *adaptation, struct failure *failure)
{
	const struct json *json = adaptation->json;

	for (const struct json_value *mount = json_first(json, adaptation->container->mounts);
	     mount != NULL; mount = json_next(json, mount)) {
		const struct json_value *options = json_member(json, mount, "options");
		int result = options == NULL || options->type != JSON_ARRAY
		                 ? 0
		                 : drop_groups(adaptation, options);

		if (result != 0)
			return fail(failure, -result, "write the options of a mount");
	}
	return 0;
}
