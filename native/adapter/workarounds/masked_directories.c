/*
 * runc 1.5 hides a directory under a tmpfs of one block and one inode, options that gVisor knows
 * since July 2026. A directory in which there is nothing needs not be hidden.
 */
#include "adapter/workaround.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <stdio.h>

static bool is_kept(const struct adaptation *adaptation, const struct json_value *path)
{
	return path->type != JSON_STRING || !adaptation->kernel->is_empty_directory(path->text);
}

static int print_kept(const struct adaptation *adaptation, FILE *stream)
{
	const struct json *json = adaptation->json;
	int dropped = 0;

	fputc('[', stream);
	for (const struct json_value *path = json_first(json, adaptation->container->masked_paths),
	                             *previous = NULL;
	     path != NULL; path = json_next(json, path)) {
		if (!is_kept(adaptation, path)) {
			dropped++;
			continue;
		}
		if (previous != NULL)
			fputc(',', stream);
		fwrite(json->source + path->start, 1, path->end - path->start, stream);
		previous = path;
	}
	fputc(']', stream);
	return dropped;
}

int masked_directories(struct adaptation *adaptation, struct failure *failure)
{
	cleanup_free char *kept = NULL;
	size_t size;
	FILE *stream;
	int dropped, result = -ENOMEM;

	if (adaptation->container->masked_paths == NULL)
		return 0;
	stream = open_memstream(&kept, &size);
	if (stream == NULL)
		return fail(failure, ENOMEM, "write the masked paths");
	dropped = print_kept(adaptation, stream);
	if (fclose(stream) == 0)
		result = dropped == 0 ? 0
		                      : edits_replace(&adaptation->edits,
		                                      adaptation->container->masked_paths, kept);
	return result == 0 ? 0 : fail(failure, -result, "write the masked paths");
}
