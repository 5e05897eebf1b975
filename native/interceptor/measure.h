/* Finds out how system calls can be seen here, by trying it on a sacrificial child. */
#ifndef INTERCEPTOR_MEASURE_H
#define INTERCEPTOR_MEASURE_H

#include "interceptor/step.h"
#include "lib/failure.h"

/**
 * MODE_SECCOMP_FIRST or _LAST as measured, MODE_SYSCALL where the filter is refused.
 * Never decided by the kernel's version: gVisor reports 4.19 or more and orders its stops as
 * Linux did before 4.8. Notes a failure where nothing can be traced at all.
 */
int measure_mode(enum mode *mode, struct failure *failure);

#endif
