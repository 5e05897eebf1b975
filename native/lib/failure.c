#include "lib/failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int fail(struct failure *failure, int errnum, const char *format, ...)
{
	char what[sizeof failure->message];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof what, format, arguments);
	va_end(arguments);
	failure->error = errnum;
	/* The cause stays readable however long the object's name is. */
	snprintf(failure->message, sizeof failure->message, "Failed to %.400s: %s", what,
	         strerror(errnum));
	return -errnum;
}

int fail_input(struct failure *failure, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(failure->message, sizeof failure->message, format, arguments);
	va_end(arguments);
	failure->error = 0;
	return -EINVAL;
}
