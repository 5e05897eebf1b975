#include "lib/die.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void die(const struct failure *failure)
{
	fprintf(stderr, "%s\n", failure->message);
	exit(1);
}

void die_errno(const char *format, ...)
{
	struct failure failure;
	char what[sizeof failure.message];
	int errnum = errno;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof what, format, arguments);
	va_end(arguments);
	fail(&failure, errnum, "%s", what);
	die(&failure);
}

void die_usage(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(2);
}
