/* What went wrong, for whoever reports it: the user's log, a status line, a CNI error. */
#ifndef LIB_FAILURE_H
#define LIB_FAILURE_H

struct failure {
	int error; /**< errno value; 0 where no system call failed (bad input) */
	char message[512];
};

/**
 * Notes "Failed to <format>: <cause of errnum>" and returns -errnum, so that
 * `return fail(failure, errno, "mount %s", target);` reports and propagates at once.
 */
__attribute__((format(printf, 3, 4))) int fail(struct failure *failure, int errnum,
                                               const char *format, ...);

/** Notes exactly the given text, for bad input, and returns -EINVAL. */
__attribute__((format(printf, 2, 3))) int fail_input(struct failure *failure, const char *format,
                                                     ...);

#endif
