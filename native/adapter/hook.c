#include "adapter/hook.h"

#include "lib/json_print.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

char *hook_print(const char *program, const char *sysctls, const struct view *view)
{
	const char *const arguments[] = {"adapter",   HOOK_WORD,   sysctls,
	                                 view->shown, view->upper, view->work};
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (stream == NULL)
		return NULL;
	fputs("{\"path\":", stream);
	json_print_string(stream, program);
	for (size_t i = 0; i < sizeof arguments / sizeof arguments[0]; i++) {
		fputs(i == 0 ? ",\"args\":[" : ",", stream);
		json_print_string(stream, arguments[i]);
	}
	fputs("]}", stream);
	if (fclose(stream) == 0)
		return text;
	free(text);
	return NULL;
}

/* Options of overlay: what the pod asked for above what is missing above what is there. */
static int print_options(char *const *arguments, const char *sys, char *out, size_t size)
{
	const char *sysctls = arguments[0], *shown = arguments[1], *upper = arguments[2],
	           *work = arguments[3];
	int length = snprintf(out, size, "lowerdir=%s%s%s:%s", shown, *shown == '\0' ? "" : ":",
	                      sysctls, sys);

	if (length >= 0 && (size_t)length < size && *upper != '\0')
		length += snprintf(out + length, size - (size_t)length, ",upperdir=%s,workdir=%s",
		                   upper, work);
	return length >= 0 && (size_t)length < size ? 0 : -ENAMETOOLONG;
}

int hook_run(char *const *arguments, int count, struct failure *failure)
{
	char root[PATH_MAX], sys[PATH_MAX + sizeof "/proc/sys"], options[6 * PATH_MAX];
	struct statfs status;

	if (count != 4)
		return fail_input(failure, "Bad arguments of " HOOK_WORD ": expected 4");
	if (getcwd(root, sizeof root) == NULL)
		return fail(failure, errno, "find the container's root");
	snprintf(sys, sizeof sys, "%s/proc/sys", root);
	if (statfs(sys, &status) != 0)
		return fail(failure, errno, "look at %s", sys);
	/* An image may have put anything there; runc has mounted /proc over it, or the pod has
	 * none. */
	if (status.f_type != PROC_SUPER_MAGIC)
		return 0;
	if (print_options(arguments, sys, options, sizeof options) != 0)
		return fail(failure, ENAMETOOLONG, "mount an overlay on %s", sys);
	if (mount("overlay", sys, "overlay", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) != 0)
		return fail(failure, errno, "mount an overlay on %s", sys);
	return 0;
}
