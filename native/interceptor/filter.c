#include "interceptor/filter.h"

#include "interceptor/calls.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "only x86_64 and aarch64 are known"
#endif

/* asm/unistd.h, __X32_SYSCALL_BIT: the x32 ABI has x86_64's AUDIT_ARCH and its own numbers. */
#define X32_SYSCALL_BIT 0x40000000U

/* Both architectures are little-endian: the low half of a 64-bit field comes first. */
#define LOW_HALF(field) ((uint32_t)offsetof(struct seccomp_data, field))
#define HIGH_HALF(field) ((uint32_t)offsetof(struct seccomp_data, field) + 4)
#define ARGUMENT_LOW_HALF(index) (LOW_HALF(args) + 8 * (uint32_t)(index))

struct program {
	struct sock_filter *instructions;
	size_t count;
};

static void emit(struct program *program, uint16_t code, uint32_t operand, uint8_t if_true,
                 uint8_t if_false)
{
	assert(program->count < FILTER_CAPACITY);
	program->instructions[program->count++] =
	    (struct sock_filter){.code = code, .jt = if_true, .jf = if_false, .k = operand};
}

static void load(struct program *program, uint32_t offset)
{
	emit(program, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void give(struct program *program, uint32_t action)
{
	emit(program, BPF_RET | BPF_K, action, 0, 0);
}

/* Emits a test; the next `skip` instructions are skipped unless the accumulator equals it. */
static void unless_equal_skip(struct program *program, uint32_t value, uint8_t skip)
{
	emit(program, BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip);
}

static void unless_equal_give(struct program *program, uint32_t value, uint32_t action)
{
	emit(program, BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
	give(program, action);
}

/* What a call whose number has been recognised gets; the number is not needed any more. */
static void decide(struct program *program, const struct call *call, enum filter_scope scope)
{
	if (scope == SCOPE_FIXED) {
		load(program, HIGH_HALF(instruction_pointer));
		unless_equal_give(program, 0, SECCOMP_RET_ALLOW);
	}
	/*
	 * glibc 2.33 and later implement fstat(fd) as newfstatat(fd, "", buf, AT_EMPTY_PATH): one
	 * after each open, and it names no path. That form is never stopped.
	 */
	if (call->kind == CALL_STAT && call->flags != NO_ARGUMENT) {
		load(program, ARGUMENT_LOW_HALF(call->flags));
		unless_equal_skip(program, AT_EMPTY_PATH, 1);
		give(program, SECCOMP_RET_ALLOW);
	}
	give(program, SECCOMP_RET_TRACE);
}

size_t filter_build(unsigned int kinds, enum filter_scope scope, struct sock_filter *instructions)
{
	struct program program = {.instructions = instructions};

	load(&program, LOW_HALF(arch));
	unless_equal_give(&program, ARCHITECTURE, SECCOMP_RET_ERRNO | ENOSYS);
	load(&program, LOW_HALF(nr));
#ifdef __x86_64__
	emit(&program, BPF_JMP | BPF_JGE | BPF_K, X32_SYSCALL_BIT, 0, 1);
	give(&program, SECCOMP_RET_ERRNO | ENOSYS);
#endif
	for (size_t i = 0; i < call_count; i++) {
		const struct call *call = &calls[i];
		size_t test = program.count;

		if ((kinds & call->kind) == 0)
			continue;
		unless_equal_skip(&program, (uint32_t)call->number, 0);
		decide(&program, call, scope);
		instructions[test].jf = (uint8_t)(program.count - test - 1);
	}
	give(&program, SECCOMP_RET_ALLOW);
	return program.count;
}
