/*
 * System calls without a library in between, so that each form reaches the kernel as written, and
 * a check that a call leaves every register alone that the kernel leaves alone.
 */
#ifndef INTERCEPTOR_TEST_RAW_H
#define INTERCEPTOR_TEST_RAW_H

#include <stdbool.h>

/** The call's result or -errno. *kept: argument registers (after the first) hold what they held. */
static inline long raw_call(long number, long a, long b, long c, long d, bool *kept)
{
#ifdef __x86_64__
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = 5;
	register long r9 __asm__("r9") = 6;
	long result = number, first = a, second = b, third = c;

	__asm__ volatile("syscall"
	                 : "+a"(result), "+D"(first), "+S"(second), "+d"(third), "+r"(r10),
	                   "+r"(r8), "+r"(r9)
	                 :
	                 : "rcx", "r11", "memory");
	*kept = first == a && second == b && third == c && r10 == d && r8 == 5 && r9 == 6;
	return result;
#else
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;

	__asm__ volatile("svc 0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x8) : : "memory");
	*kept = x1 == b && x2 == c && x3 == d && x8 == number;
	return x0;
#endif
}

#endif
