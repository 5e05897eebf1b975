#include "interceptor/stats.h"

#include <errno.h>
#include <stdio.h>

static const char *mode_name(enum mode mode)
{
	switch (mode) {
	case MODE_SECCOMP_FIRST:
		return "seccomp-first";
	case MODE_SECCOMP_LAST:
		return "seccomp-last";
	case MODE_SYSCALL:
		return "syscall";
	}
	return "unknown";
}

int stats_write(const char *path, const struct tracer *tracer, struct failure *failure)
{
	FILE *file = fopen(path, "we");
	const struct counts *counts = &tracer->counts;

	if (file == NULL)
		return fail(failure, errno, "write %s", path);
	fprintf(file, "mode\t%s\n", mode_name(tracer->mode));
	fprintf(file, "stops\t%lu\ncalls\t%lu\n", counts->stops, counts->calls);
	for (size_t i = 0; i < tracer->selection->count; i++)
		fprintf(file, "answered.%s\t%lu\n", tracer->selection->handlers[i]->name,
		        counts->answered[i]);
	fprintf(file, "repeated\t%lu\nfailed\t%lu\n", counts->repeated, counts->failed);
	return fclose(file) == 0 ? 0 : fail(failure, errno, "write %s", path);
}
