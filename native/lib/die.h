/* The one way a program ends because of a failure. */
#ifndef LIB_DIE_H
#define LIB_DIE_H

#include "lib/failure.h"

/** Prints the message on stderr and exits with status 1. */
__attribute__((noreturn)) void die(const struct failure *failure);

/** Prints "Failed to <format>: <cause of errno>" on stderr and exits with status 1. */
__attribute__((noreturn, format(printf, 1, 2))) void die_errno(const char *format, ...);

/** Prints the text on stderr and exits with status 2: the command line is wrong. */
__attribute__((noreturn, format(printf, 1, 2))) void die_usage(const char *format, ...);

#endif
