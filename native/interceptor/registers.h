/* A stopped tracee's registers, by the calling convention of system calls. */
#ifndef INTERCEPTOR_REGISTERS_H
#define INTERCEPTOR_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

struct registers {
	struct user_regs_struct raw;
};

/** Both return 0 or -errno (-ESRCH: the tracee vanished). */
int registers_read(pid_t pid, struct registers *registers);
int registers_write(pid_t pid, const struct registers *registers);

/** The number of the system call the tracee is in. */
long registers_call(const struct registers *registers);
/** What the call returned; only at its exit. */
long registers_result(const struct registers *registers);
uint64_t registers_stack(const struct registers *registers);
uint64_t registers_argument(const struct registers *registers, int index);
void registers_set_argument(struct registers *registers, int index, uint64_t value);

/** At a call's exit: undoes registers_set_argument without touching the call's result. */
void registers_restore_argument(struct registers *registers, int index, uint64_t value);

/** At a call's exit: makes the tracee issue it again, with `first` as its argument 0. */
void registers_repeat(struct registers *registers, long number, uint64_t first);

/**
 * Whether a system call stop can be a call's entry. A kernel that asks seccomp before the tracer
 * (gVisor) reports no entry of a call that a filter refused, only its exit. x86_64 shows -ENOSYS as
 * the result of a call not made yet; arm64 has no such sign, and this is always true there.
 */
bool registers_may_be_entry(const struct registers *registers);

/** Whether the tracee runs 32-bit code, whose calls have other numbers. */
bool registers_are_foreign(const struct registers *registers);

#endif
