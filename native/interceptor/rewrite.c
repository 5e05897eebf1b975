#include "interceptor/rewrite.h"

#include "interceptor/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* linux/openat2.h, struct open_how as of OPEN_HOW_SIZE_VER0; musl 1.2.3's headers have none. */
struct how {
	uint64_t flags;
	uint64_t mode;
	uint64_t resolve;
};

/* openat2's arguments: (directory, path, how, size of how). */
enum { HOW_SIZE_ARGUMENT = 3 };

/* System V ABI, AMD64, 3.2.2: a leaf function may use these bytes below its stack pointer. */
enum { RED_ZONE = 128, STACK_ALIGNMENT = 16 };

/* What is written below the stack. */
struct scratch {
	struct how how;
	char target[TARGET_SIZE];
};

ssize_t rewrite_read_path(pid_t tracee, const struct call *call, const struct registers *registers,
                          char *path, size_t size)
{
	return memory_string(memory_read_tracee, &tracee, registers_argument(registers, call->path),
	                     path, size);
}

static int read_how(pid_t tracee, const struct call *call, const struct registers *registers,
                    struct how *how)
{
	if (registers_argument(registers, HOW_SIZE_ARGUMENT) != sizeof *how)
		return -EINVAL;
	return memory_read_tracee(&tracee, registers_argument(registers, call->flags), how,
	                          sizeof *how);
}

int rewrite_read_flags(pid_t tracee, const struct call *call, const struct registers *registers,
                       int *flags)
{
	struct how how;
	int error;

	*flags = 0;
	switch (call->open) {
	case OPEN_FLAGS_NONE:
		return 0;
	case OPEN_FLAGS_CREAT:
		*flags = O_WRONLY | O_CREAT | O_TRUNC;
		return 0;
	case OPEN_FLAGS_ARGUMENT:
		*flags = (int)registers_argument(registers, call->flags);
		return 0;
	case OPEN_FLAGS_HOW:
		error = read_how(tracee, call, registers, &how);
		*flags = (int)how.flags;
		return error;
	}
	return 0;
}

static void set_flags(const struct call *call, struct registers *registers, int flags, uint64_t how)
{
	if (call->open == OPEN_FLAGS_ARGUMENT)
		registers_set_argument(registers, call->flags, (uint64_t)flags);
	else if (call->open == OPEN_FLAGS_HOW)
		registers_set_argument(registers, call->flags, how);
}

int rewrite_begin(pid_t tracee, const struct call *call, struct registers *registers,
                  const char *target, int flags, struct rewrite *rewrite)
{
	struct scratch scratch = {0};
	uint64_t address = registers_stack(registers) - RED_ZONE - sizeof scratch;
	int error;

	address -= address % STACK_ALIGNMENT;
	strcpy(scratch.target, target);
	if (call->open == OPEN_FLAGS_HOW) {
		error = read_how(tracee, call, registers, &scratch.how);
		if (error != 0)
			return error;
		scratch.how.flags = (uint64_t)flags;
		/* RESOLVE_BENEATH and its kin were about the path that was asked for. */
		scratch.how.resolve = 0;
	}
	error = memory_write_tracee(tracee, address, &scratch, sizeof scratch);
	if (error != 0)
		return error;
	rewrite->call = call;
	for (int i = 0; i < (int)(sizeof rewrite->arguments / sizeof rewrite->arguments[0]); i++)
		rewrite->arguments[i] = registers_argument(registers, i);
	registers_set_argument(registers, call->path, address + offsetof(struct scratch, target));
	set_flags(call, registers, flags, address + offsetof(struct scratch, how));
	error = registers_write(tracee, registers);
	if (error != 0)
		rewrite->call = NULL;
	return error;
}

void rewrite_abandon(struct rewrite *rewrite)
{
	if (rewrite->file[0] != '\0')
		unlink(rewrite->file);
	*rewrite = (struct rewrite){0};
}

int rewrite_end(pid_t tracee, struct rewrite *rewrite)
{
	struct registers registers;
	int error = registers_read(tracee, &registers);
	/* What the tree holds exists; only another root directory can hide it. */
	bool hidden = error == 0 && rewrite->in_tree && registers_result(&registers) == -ENOENT;

	if (error == 0) {
		const struct call *call = rewrite->call;

		registers_restore_argument(&registers, call->path, rewrite->arguments[call->path]);
		if (call->open == OPEN_FLAGS_ARGUMENT || call->open == OPEN_FLAGS_HOW)
			registers_restore_argument(&registers, call->flags,
			                           rewrite->arguments[call->flags]);
		if (hidden)
			registers_repeat(&registers, call->number, rewrite->arguments[0]);
		error = registers_write(tracee, &registers);
	}
	rewrite_abandon(rewrite);
	return error != 0 ? error : hidden;
}
