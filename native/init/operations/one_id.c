/*
 * In a user namespace of one id a file can be given to nobody and a process can become nobody else:
 * EINVAL. Where that is accepted, the calls that ask for another id are answered with success and
 * change nothing, for every process that is started after. Calls for the one id there is, and for
 * none, are the kernel's. The container's own programs ask as unpacking and runc do, so it is a filter
 * that all of them inherit; none of it needs a tracer.
 */
#include "init/operations/operation.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "no architecture that this project is built for"
#endif

/* A call, and which of its arguments are ids. */
static const struct call {
	int number;
	unsigned int first, count;
} calls[] = {
#ifdef SYS_chown
    {SYS_chown, 1, 2},     {SYS_lchown, 1, 2},
#endif
    {SYS_fchown, 1, 2},    {SYS_fchownat, 2, 2},  {SYS_setuid, 0, 1},
    {SYS_setgid, 0, 1},    {SYS_setreuid, 0, 2},  {SYS_setregid, 0, 2},
    {SYS_setresuid, 0, 3}, {SYS_setresgid, 0, 3},
};

#define CALLS (sizeof calls / sizeof calls[0])
/* Three for each id, three around them; what is before and after all calls. */
#define CAPACITY (CALLS * (3 * 3 + 3) + 8)

#define LOAD(member) (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, member)
#define RETURN(value) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, value)
#define SKIP_UNLESS(value, count)                                                                  \
	(struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, count)
#define SKIP_IF(value, count)                                                                      \
	(struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, count, 0)

#define SUCCEED (SECCOMP_RET_ERRNO | 0)

/* The lower half: ids have 32 bits, and both architectures are little endian. */
static uint32_t argument_offset(unsigned int index)
{
	return (uint32_t)(offsetof(struct seccomp_data, args) + index * sizeof(uint64_t));
}

static size_t build_call(const struct call *call, struct sock_filter *filter)
{
	size_t length = 0;

	filter[length++] = SKIP_UNLESS((uint32_t)call->number, (uint8_t)(call->count * 3 + 2));
	for (unsigned int i = 0; i < call->count; i++) {
		const unsigned int rest = (call->count - 1 - i) * 3;

		filter[length++] = LOAD(argument_offset(call->first + i));
		filter[length++] = SKIP_IF(0, 1);
		filter[length++] = SKIP_UNLESS(UINT32_MAX, (uint8_t)(rest + 1));
	}
	filter[length++] = RETURN(SECCOMP_RET_ALLOW);
	filter[length++] = RETURN(SUCCEED);
	return length;
}

static size_t build(struct sock_filter *filter)
{
	size_t length = 0;

	filter[length++] = LOAD(offsetof(struct seccomp_data, arch));
	filter[length++] = SKIP_IF(ARCHITECTURE, 1);
	filter[length++] = RETURN(SECCOMP_RET_ALLOW);
	filter[length++] = LOAD(offsetof(struct seccomp_data, nr));
	/* A namespace whose map was written without CAP_SETGID has no setgroups at all. */
	filter[length++] = SKIP_UNLESS(SYS_setgroups, 1);
	filter[length++] = RETURN(SUCCEED);
	for (size_t i = 0; i < CALLS; i++)
		length += build_call(&calls[i], filter + length);
	filter[length++] = RETURN(SECCOMP_RET_ALLOW);
	return length;
}

int operation_one_id(struct supervisor *supervisor, char **arguments, struct failure *failure)
{
	struct sock_filter filter[CAPACITY];
	const struct sock_fprog program = {.len = (unsigned short)build(filter), .filter = filter};

	(void)supervisor;
	(void)arguments;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		return fail(failure, errno, "answer the calls that ask for other ids");
	return 0;
}
