#include "interceptor/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

/* No page is smaller; where they are larger a read ends early at most, which does no harm. */
#define PAGE 4096U
/* Nearly every path is shorter: one read instead of a page's worth of copying. */
#define FIRST_READ 256U
#define WORD 8U

ssize_t memory_string(memory_reader read, void *memory, uint64_t address, char *text, size_t size)
{
	size_t length = 0;
	size_t limit = FIRST_READ;

	while (length < size) {
		size_t chunk = PAGE - (size_t)((address + length) % PAGE);
		const char *end;
		int error;

		if (chunk > limit)
			chunk = limit;
		if (chunk > size - length)
			chunk = size - length;
		error = read(memory, address + length, text + length, chunk);
		if (error != 0)
			return error;
		end = memchr(text + length, '\0', chunk);
		if (end != NULL)
			return end - text;
		length += chunk;
		limit = PAGE;
	}
	return -ENAMETOOLONG;
}

/*
 * The way that needs no permission beyond being the tracer. process_vm_readv asks again whether
 * this process may trace the other and, without CAP_SYS_PTRACE (which Docker does not give), is
 * refused when that one has changed its user or is not dumpable, as runc's init makes itself.
 */
static int peek(pid_t pid, uint64_t address, char *buffer, size_t size)
{
	while (size > 0) {
		size_t offset = (size_t)(address % WORD);
		size_t count = WORD - offset < size ? WORD - offset : size;
		long word;

		errno = 0;
		word = ptrace(PTRACE_PEEKDATA, pid, address - offset, 0);
		if (errno != 0)
			return errno == EIO ? -EFAULT : -errno;
		memcpy(buffer, (const char *)&word + offset, count);
		buffer += count;
		address += count;
		size -= count;
	}
	return 0;
}

static int poke(pid_t pid, uint64_t address, const char *bytes, size_t size)
{
	for (size_t done = 0; done < size; done += WORD) {
		long word;

		memcpy(&word, bytes + done, sizeof word);
		if (ptrace(PTRACE_POKEDATA, pid, address + done, word) != 0)
			return errno == EIO ? -EFAULT : -errno;
	}
	return 0;
}

static struct iovec remote_range(uint64_t address, size_t size)
{
	/* An address of the other process; never followed here. */
	return (struct iovec){.iov_base = (void *)(uintptr_t)address, .iov_len = size};
}

int memory_read_tracee(void *pid, uint64_t address, void *buffer, size_t size)
{
	const pid_t *tracee = pid;
	struct iovec local = {.iov_base = buffer, .iov_len = size};
	struct iovec remote = remote_range(address, size);
	ssize_t count = process_vm_readv(*tracee, &local, 1, &remote, 1, 0);

	if (count >= 0)
		return (size_t)count == size ? 0 : -EFAULT;
	if (errno == EFAULT || errno == ESRCH)
		return -errno;
	return peek(*tracee, address, buffer, size);
}

int memory_write_tracee(pid_t pid, uint64_t address, const void *bytes, size_t size)
{
	struct iovec local = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
	struct iovec remote = remote_range(address, size);

	if (process_vm_writev(pid, &local, 1, &remote, 1, 0) == (ssize_t)size)
		return 0;
	/*
	 * Also after EFAULT: a stack grows into unmapped pages for PTRACE_POKEDATA, while
	 * process_vm_writev has left that to page faults since Linux 6.5 (8d7071af8907).
	 */
	return poke(pid, address, bytes, size);
}
