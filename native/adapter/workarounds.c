#include "adapter/workaround.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

const struct workaround workarounds[] = {
    {"masked-directories", masked_directories},
    {"one-id", one_id},
    {"pod-sysctls", pod_sysctls},
    {"private-sysctls", private_sysctls},
};

const size_t workaround_count = sizeof workarounds / sizeof workarounds[0];

int adaptation_note(struct adaptation *adaptation, struct failure *failure, const char *format, ...)
{
	const struct container *container = adaptation->container;
	char what[1024], line[1536];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof what, format, arguments);
	va_end(arguments);
	snprintf(line, sizeof line, "pod %.255s/%.255s: %s",
	         container->pod_namespace == NULL ? "" : container->pod_namespace,
	         container->pod_name == NULL ? container->id : container->pod_name, what);
	if (strings_add(&adaptation->notes, line) != 0)
		return fail(failure, ENOMEM, "note what was changed");
	return 0;
}

void adaptation_free(struct adaptation *adaptation)
{
	edits_free(&adaptation->edits);
	strings_free(&adaptation->notes);
}
