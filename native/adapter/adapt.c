#include "adapter/adapt.h"

#include "adapter/hook.h"
#include "adapter/state.h"
#include "adapter/workaround.h"
#include "lib/cleanup.h"
#include "lib/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CONFIG_MAXIMUM (64 * 1024 * 1024)
#define HOOKS "createContainer"

static int read_sysctl(const char *path, char *out, size_t size)
{
	cleanup_free char *text = NULL;
	char file[PATH_MAX];
	int result;

	if (snprintf(file, sizeof file, "/proc/sys/%s", path) >= (int)sizeof file)
		return -ENAMETOOLONG;
	result = io_read_file(file, size - 1, &text, NULL);
	if (result == 0)
		snprintf(out, size, "%s", text);
	return result;
}

static bool is_empty_directory(const char *path)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	bool empty = true;

	if (directory == NULL)
		return false;
	while (empty && (entry = readdir(directory)) != NULL)
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	closedir(directory);
	return empty;
}

static const struct kernel kernel = {
    .read_sysctl = read_sysctl,
    .is_empty_directory = is_empty_directory,
};

int adapt_decide(const struct settings *settings, struct adaptation *adaptation,
                 struct failure *failure)
{
	for (size_t i = 0; i < workaround_count; i++) {
		int result = settings_have(settings, workarounds[i].id)
		                 ? workarounds[i].adapt(adaptation, failure)
		                 : 0;

		if (result != 0)
			return result;
	}
	return 0;
}

int adapt_add_hook(struct adaptation *adaptation, const char *hook)
{
	const struct json *json = adaptation->json;
	const struct json_value *hooks = adaptation->container->hooks;
	const struct json_value *list = json_member(json, hooks, HOOKS);
	cleanup_free char *new_list = NULL, *new_hooks = NULL;
	struct edits *edits = &adaptation->edits;

	if (asprintf(&new_list, "[%s]", hook) < 0 ||
	    asprintf(&new_hooks, "{\"" HOOKS "\":%s}", new_list) < 0)
		return -ENOMEM;
	if (hooks == NULL)
		return edits_add_member(edits, json->values, "hooks", new_hooks);
	if (hooks->type != JSON_OBJECT)
		return edits_replace(edits, hooks, new_hooks);
	if (list == NULL)
		return edits_add_member(edits, hooks, HOOKS, new_list);
	if (list->type != JSON_ARRAY)
		return edits_replace(edits, list, new_list);
	return edits_append(edits, list, hook);
}

/* Makes what the container's view of /proc/sys is made of, and has runc mount it. */
static int give_view(const struct settings *settings, struct adaptation *adaptation,
                     const char *program, struct failure *failure)
{
	const struct container *container = adaptation->container;
	cleanup_free char *hook = NULL;
	struct view view = {.shown = "", .upper = "", .work = ""};
	int result = 0;

	if (adaptation->pod_shows_sysctls)
		result = state_shown_path(settings->state, container->sandbox, view.shown, failure);
	if (result == 0 && adaptation->needs_writable_sysctls)
		result = state_make_writable(settings->state, container->id, &view, failure);
	if (result != 0)
		return result;
	hook = hook_print(program, settings->sysctls, &view);
	if (hook == NULL || adapt_add_hook(adaptation, hook) != 0)
		return fail(failure, ENOMEM, "add a hook");
	return 0;
}

static int write_config(const char *path, const char *text, size_t size, struct failure *failure)
{
	char temporary[PATH_MAX];
	cleanup_fd int fd = -1;
	int result;

	if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary)
		return fail(failure, ENAMETOOLONG, "write %s", path);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	result = fd < 0 ? -errno : io_write(fd, text, size);
	if (result == 0 && rename(temporary, path) != 0)
		result = -errno;
	return result == 0 ? 0 : fail(failure, -result, "write %s", path);
}

/* A log that cannot be written keeps no container from starting. */
static void write_notes(const char *path, const struct strings *notes)
{
	char now[sizeof "2026-01-01T00:00:00Z"] = "";
	FILE *stream = notes->count == 0 ? NULL : fopen(path, "ae");
	struct tm broken_down;
	time_t seconds = time(NULL);

	if (stream == NULL)
		return;
	if (gmtime_r(&seconds, &broken_down) != NULL)
		strftime(now, sizeof now, "%FT%TZ", &broken_down);
	for (size_t i = 0; i < notes->count; i++)
		fprintf(stream, "%s %s\n", now, notes->items[i]);
	fclose(stream);
}

/* Carries out what was decided. */
static int apply(const struct settings *settings, struct adaptation *adaptation, const char *path,
                 size_t size, const char *program, struct failure *failure)
{
	const struct container *container = adaptation->container;
	cleanup_free char *changed = NULL;
	size_t changed_size;
	int result = 0;

	if (adaptation->shown_count > 0)
		result = state_show_sysctls(settings->state, container->id, adaptation->shown,
		                            adaptation->shown_count, failure);
	if (result == 0 && (adaptation->needs_sysctls || adaptation->needs_writable_sysctls))
		result = give_view(settings, adaptation, program, failure);
	if (result != 0)
		return result;
	write_notes(settings->log, &adaptation->notes);
	if (adaptation->edits.count == 0)
		return 0;
	changed = edits_apply(&adaptation->edits, size, &changed_size);
	if (changed == NULL)
		return fail(failure, ENOMEM, "change %s", path);
	return write_config(path, changed, changed_size, failure);
}

static int adapt_container(const struct settings *settings, const struct json *json, size_t size,
                           const char *id, const char *path, const char *program,
                           struct failure *failure)
{
	const struct container container = container_of(json, id);
	struct adaptation adaptation = {
	    .json = json,
	    .container = &container,
	    .kernel = &kernel,
	    .pod_shows_sysctls = state_shows_sysctls(settings->state, container.sandbox),
	    .edits = {.json = json},
	};
	int result = adapt_decide(settings, &adaptation, failure);

	if (result == 0)
		result = apply(settings, &adaptation, path, size, program, failure);
	adaptation_free(&adaptation);
	return result;
}

int adapt(const struct settings *settings, const struct command *command, const char *program,
          struct failure *failure)
{
	cleanup_free char *text = NULL;
	struct json json = {0};
	char path[PATH_MAX];
	size_t size = 0;
	int result;

	if (snprintf(path, sizeof path, "%s/config.json", command->bundle) >= (int)sizeof path)
		return fail(failure, ENAMETOOLONG, "name config.json in %s", command->bundle);
	result = io_read_file(path, CONFIG_MAXIMUM, &text, &size);
	if (result != 0)
		return fail(failure, -result, "read %s", path);
	result = json_parse(text, size, &json, failure);
	if (result == 0)
		result =
		    adapt_container(settings, &json, size, command->id, path, program, failure);
	json_free(&json);
	return result;
}
