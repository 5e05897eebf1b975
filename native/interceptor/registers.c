#include "interceptor/registers.h"

#include <assert.h>
#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

/* PTRACE_GETREGSET and not PTRACE_GETREGS: arm64 has no other. */
int registers_read(pid_t pid, struct registers *registers)
{
	struct iovec range = {.iov_base = &registers->raw, .iov_len = sizeof registers->raw};

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &range) != 0)
		return -errno;
	return range.iov_len == sizeof registers->raw ? 0 : -EIO;
}

int registers_write(pid_t pid, const struct registers *registers)
{
	struct registers copy = *registers;
	struct iovec range = {.iov_base = &copy.raw, .iov_len = sizeof copy.raw};

	return ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &range) == 0 ? 0 : -errno;
}

#ifdef __x86_64__

/* The 32-bit user code segment, arch/x86/include/asm/segment.h: __USER32_CS. */
#define USER32_CS 0x23

/* The length of the instruction `syscall`. */
#define CALL_INSTRUCTION 2

static size_t argument_offset(int index)
{
	static const size_t offsets[] = {
	    offsetof(struct user_regs_struct, rdi), offsetof(struct user_regs_struct, rsi),
	    offsetof(struct user_regs_struct, rdx), offsetof(struct user_regs_struct, r10),
	    offsetof(struct user_regs_struct, r8),  offsetof(struct user_regs_struct, r9),
	};

	assert(index >= 0 && (size_t)index < sizeof offsets / sizeof offsets[0]);
	return offsets[index] / sizeof(uint64_t);
}

static uint64_t *argument(struct registers *registers, int index)
{
	return (uint64_t *)(void *)&registers->raw + argument_offset(index);
}

uint64_t registers_argument(const struct registers *registers, int index)
{
	return *((const uint64_t *)(const void *)&registers->raw + argument_offset(index));
}

long registers_call(const struct registers *registers)
{
	return (long)registers->raw.orig_rax;
}

long registers_result(const struct registers *registers)
{
	return (long)registers->raw.rax;
}

uint64_t registers_stack(const struct registers *registers)
{
	return registers->raw.rsp;
}

void registers_restore_argument(struct registers *registers, int index, uint64_t value)
{
	registers_set_argument(registers, index, value);
}

void registers_repeat(struct registers *registers, long number, uint64_t first)
{
	registers_set_argument(registers, 0, first);
	registers->raw.rip -= CALL_INSTRUCTION;
	registers->raw.rax = (uint64_t)number;
	/* Not in a call any more: keeps the kernel from restarting one on its own. */
	registers->raw.orig_rax = (uint64_t)-1;
}

bool registers_may_be_entry(const struct registers *registers)
{
	return registers_result(registers) == -ENOSYS;
}

bool registers_are_foreign(const struct registers *registers)
{
	return registers->raw.cs == USER32_CS;
}

#else

#define CALL_INSTRUCTION 4
/* Where arm64 keeps the number of the call: x8. */
#define NUMBER 8
#define PSTATE_32_BIT 0x10U

static uint64_t *argument(struct registers *registers, int index)
{
	assert(index >= 0 && index < 6);
	return (uint64_t *)&registers->raw.regs[index];
}

uint64_t registers_argument(const struct registers *registers, int index)
{
	assert(index >= 0 && index < 6);
	return registers->raw.regs[index];
}

long registers_call(const struct registers *registers)
{
	return (long)registers->raw.regs[NUMBER];
}

long registers_result(const struct registers *registers)
{
	return (long)registers->raw.regs[0];
}

uint64_t registers_stack(const struct registers *registers)
{
	return registers->raw.sp;
}

void registers_restore_argument(struct registers *registers, int index, uint64_t value)
{
	/* x0 is argument 0 on the way in and the result on the way out. */
	if (index != 0)
		registers_set_argument(registers, index, value);
}

void registers_repeat(struct registers *registers, long number, uint64_t first)
{
	registers_set_argument(registers, 0, first);
	registers->raw.pc -= CALL_INSTRUCTION;
	registers->raw.regs[NUMBER] = (uint64_t)number;
}

bool registers_may_be_entry(const struct registers *registers)
{
	(void)registers;
	return true;
}

bool registers_are_foreign(const struct registers *registers)
{
	return (registers->raw.pstate & PSTATE_32_BIT) != 0;
}

#endif

void registers_set_argument(struct registers *registers, int index, uint64_t value)
{
	*argument(registers, index) = value;
}
