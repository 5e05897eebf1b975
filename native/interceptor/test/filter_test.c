/* The filter as data, run by an interpreter of the few instructions it is made of. */
#include "interceptor/filter.h"

#include "interceptor/calls.h"
#include "interceptor/handler.h"
#include "lib/test/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/syscall.h>

#ifdef __x86_64__
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif

#define ALL_KINDS 0xffU

static uint32_t run(const struct sock_filter *program, size_t count,
                    const struct seccomp_data *data)
{
	uint32_t accumulator = 0;

	for (size_t at = 0; at < count; at++) {
		const struct sock_filter *instruction = &program[at];
		bool taken;

		switch (instruction->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&accumulator, (const char *)data + instruction->k, 4);
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
			taken = BPF_OP(instruction->code) == BPF_JEQ
			            ? accumulator == instruction->k
			            : accumulator >= instruction->k;
			at += taken ? instruction->jt : instruction->jf;
			break;
		case BPF_RET | BPF_K:
			return instruction->k;
		default:
			return 0xdead;
		}
	}
	return 0xbeef;
}

static uint32_t decide(unsigned int kinds, enum filter_scope scope, struct seccomp_data data)
{
	struct sock_filter program[FILTER_CAPACITY];

	return run(program, filter_build(kinds, scope, program), &data);
}

static void stops_what_is_declared(void)
{
	for (size_t i = 0; i < call_count; i++) {
		struct seccomp_data data = {.nr = (int)calls[i].number, .arch = NATIVE};

		check(decide(calls[i].kind, SCOPE_ALL, data) == SECCOMP_RET_TRACE, "%s stops",
		      calls[i].name);
		check(decide(ALL_KINDS & ~(unsigned int)calls[i].kind, SCOPE_ALL, data) ==
		          SECCOMP_RET_ALLOW,
		      "%s runs where nobody needs it", calls[i].name);
	}
}

static void lets_the_rest_run(void)
{
	static const int numbers[] = {SYS_read,  SYS_write, SYS_execve,
	                              SYS_clone, SYS_futex, SYS_getdents64};

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		check(decide(ALL_KINDS, SCOPE_ALL,
		             (struct seccomp_data){.nr = numbers[i], .arch = NATIVE}) ==
		          SECCOMP_RET_ALLOW,
		      "call %d runs", numbers[i]);
	check(decide(0, SCOPE_ALL, (struct seccomp_data){.nr = SYS_openat, .arch = NATIVE}) ==
	          SECCOMP_RET_ALLOW,
	      "without handlers everything runs");
}

static void refuses_foreign_calls(void)
{
	check(
	    decide(ALL_KINDS, SCOPE_ALL, (struct seccomp_data){.nr = 5, .arch = AUDIT_ARCH_I386}) ==
	        (SECCOMP_RET_ERRNO | ENOSYS),
	    "another architecture's call is refused");
#ifdef __x86_64__
	check(decide(ALL_KINDS, SCOPE_ALL,
	             (struct seccomp_data){.nr = 0x40000000 | SYS_openat, .arch = NATIVE}) ==
	          (SECCOMP_RET_ERRNO | ENOSYS),
	      "an x32 call is refused");
#endif
}

static void lets_fstat_run(void)
{
	struct seccomp_data data = {.nr = SYS_newfstatat, .arch = NATIVE, .args = {3, 1, 2, 0}};

	data.args[3] = AT_EMPTY_PATH;
	check(decide(ALL_KINDS, SCOPE_ALL, data) == SECCOMP_RET_ALLOW, "fstat runs");
	data.args[3] = AT_SYMLINK_NOFOLLOW;
	check(decide(ALL_KINDS, SCOPE_ALL, data) == SECCOMP_RET_TRACE, "lstat stops");
	/* An open's flags are no AT_* flags: this value is O_DSYNC there. */
	data = (struct seccomp_data){.nr = SYS_openat, .arch = NATIVE, .args = {0, 0, 0x1000}};
	check(decide(ALL_KINDS, SCOPE_ALL, data) == SECCOMP_RET_TRACE, "an open stops");
}

static void looks_at_the_caller(void)
{
	struct seccomp_data data = {.nr = SYS_openat, .arch = NATIVE};

	data.instruction_pointer = 0xffffffff;
	check(decide(ALL_KINDS, SCOPE_FIXED, data) == SECCOMP_RET_TRACE, "fixed code stops");
	data.instruction_pointer = 0x7f0000401000;
	check(decide(ALL_KINDS, SCOPE_FIXED, data) == SECCOMP_RET_ALLOW, "a library's call runs");
	check(decide(ALL_KINDS, SCOPE_ALL, data) == SECCOMP_RET_TRACE, "but not in scope all");
}

int main(void)
{
	stops_what_is_declared();
	lets_the_rest_run();
	refuses_foreign_calls();
	lets_fstat_run();
	looks_at_the_caller();
	return tap_done();
}
