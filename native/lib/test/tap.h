/*
 * Test programs print TAP (https://testanything.org), one line per check, and say how many there
 * were at the end, so that a program that dies half way is seen to have failed.
 */
#ifndef LIB_TEST_TAP_H
#define LIB_TEST_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failed;

/** One check, described by the format; returns what it was given. */
__attribute__((format(printf, 2, 3))) static bool check(bool passed, const char *format, ...)
{
	va_list arguments;

	tap_count++;
	tap_failed += !passed;
	printf("%sok %d - ", passed ? "" : "not ", tap_count);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	return passed;
}

/** Checks that two texts are equal and shows both where they are not. */
static inline bool check_text(const char *actual, const char *expected, const char *what)
{
	bool equal = strcmp(actual, expected) == 0;

	check(equal, "%s", what);
	if (!equal)
		printf("# expected: %s\n# actual:   %s\n", expected, actual);
	return equal;
}

/** Checks that two numbers are equal and shows both where they are not. */
static inline bool check_number(long actual, long expected, const char *what)
{
	bool equal = actual == expected;

	check(equal, "%s", what);
	if (!equal)
		printf("# expected: %ld\n# actual:   %ld\n", expected, actual);
	return equal;
}

/** `return tap_done();` at the end of main. */
static int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed == 0 ? 0 : 1;
}

#endif
