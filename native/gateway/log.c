#include "gateway/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "lib/failure.h"

/* Whoever causes lines may cause any number of them: so many at once, and so many a second. */
#define BURST 200
#define RATE 10

static bool may_write(void)
{
	static int64_t lines = BURST, last;
	static unsigned long left_out;
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	if (time.tv_sec > last) {
		lines += (time.tv_sec - last) * RATE;
		lines = lines < BURST ? lines : BURST;
		last = time.tv_sec;
	}
	if (lines <= 0) {
		left_out++;
		return false;
	}
	lines--;
	if (left_out > 0)
		dprintf(STDERR_FILENO, "gateway: %lu lines left out\n", left_out);
	left_out = 0;
	return true;
}

void log_line(const char *format, ...)
{
	char line[1024];
	va_list arguments;

	if (!may_write())
		return;

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
