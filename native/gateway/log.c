#include "gateway/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/failure.h"

void log_line(const char *format, ...)
{
	char line[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	/* One write each: others may share the log. */
	dprintf(STDERR_FILENO, "gateway: %s\n", line);
}

void log_failure(int errnum, const char *format, ...)
{
	struct failure failure;
	char what[sizeof(failure.message)];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	fail(&failure, errnum, "%s", what);
	log_line("%s", failure.message);
}
