#include "interceptor/calls.h"

#include <sys/syscall.h>

/* musl 1.2.3 does not name these two; the numbers are the same on every architecture. */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif

#define OPEN(call, path, directory, flags, how)                                                    \
	{                                                                                          \
#call, SYS_##call, CALL_OPEN, path, directory, flags, OPEN_FLAGS_##how             \
	}
#define PATH(call, kind, path, directory, flags)                                                   \
	{                                                                                          \
#call, SYS_##call, CALL_##kind, path, directory, flags, OPEN_FLAGS_NONE            \
	}

const struct call calls[] = {
    OPEN(openat, 1, 0, 2, ARGUMENT),
    OPEN(openat2, 1, 0, 2, HOW),
    PATH(newfstatat, STAT, 1, 0, 3),
    PATH(statx, STAT, 1, 0, 2),
    /* The system call faccessat has no flags; libraries check them themselves. */
    PATH(faccessat, ACCESS, 1, 0, NO_ARGUMENT),
    PATH(faccessat2, ACCESS, 1, 0, 3),
    PATH(readlinkat, READLINK, 1, 0, NO_ARGUMENT),
    PATH(statfs, STATFS, 0, NO_ARGUMENT, NO_ARGUMENT),
    PATH(truncate, TRUNCATE, 0, NO_ARGUMENT, NO_ARGUMENT),
    PATH(chdir, CHDIR, 0, NO_ARGUMENT, NO_ARGUMENT),
#ifdef __x86_64__
    OPEN(open, 0, NO_ARGUMENT, 1, ARGUMENT),
    OPEN(creat, 0, NO_ARGUMENT, NO_ARGUMENT, CREAT),
    PATH(stat, STAT, 0, NO_ARGUMENT, NO_ARGUMENT),
    PATH(lstat, STAT, 0, NO_ARGUMENT, NO_ARGUMENT),
    PATH(access, ACCESS, 0, NO_ARGUMENT, NO_ARGUMENT),
    PATH(readlink, READLINK, 0, NO_ARGUMENT, NO_ARGUMENT),
#endif
};

const size_t call_count = sizeof calls / sizeof calls[0];

const struct call *call_find(long number)
{
	for (size_t i = 0; i < call_count; i++)
		if (calls[i].number == number)
			return &calls[i];
	return NULL;
}
