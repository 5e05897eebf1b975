#include "interceptor/static_program.h"

#include "lib/cleanup.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_program(const char *program)
{
	cleanup_free char *path = NULL;
	char *rest = NULL;
	const char *directory;

	if (strchr(program, '/') != NULL)
		return open(program, O_RDONLY | O_CLOEXEC);
	path = strdup(getenv("PATH") == NULL ? "" : getenv("PATH"));
	if (path == NULL)
		return -1;
	for (directory = strtok_r(path, ":", &rest); directory != NULL;
	     directory = strtok_r(NULL, ":", &rest)) {
		cleanup_free char *file = NULL;

		if (asprintf(&file, "%s/%s", directory, program) < 0)
			return -1;
		if (access(file, X_OK) == 0)
			return open(file, O_RDONLY | O_CLOEXEC);
	}
	errno = ENOENT;
	return -1;
}

static const char *why_not(int fd)
{
	Elf64_Ehdr header;

	if (pread(fd, &header, sizeof header, 0) != (ssize_t)sizeof header ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64)
		return "it is no 64-bit ELF file";
	if (header.e_type != ET_EXEC)
		return "it is position-independent";
	for (int i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr segment;
		off_t at = (off_t)header.e_phoff + (off_t)i * header.e_phentsize;

		if (pread(fd, &segment, sizeof segment, at) != (ssize_t)sizeof segment)
			return "its program headers cannot be read";
		if (segment.p_type == PT_INTERP)
			return "it is dynamically linked";
		if (segment.p_type == PT_LOAD && segment.p_vaddr + segment.p_memsz > UINT32_MAX)
			return "it is linked above 4 GiB";
	}
	return NULL;
}

int static_program_check(const char *program, struct failure *failure)
{
	cleanup_fd int fd = open_program(program);
	const char *reason;

	if (fd < 0)
		return fail(failure, errno, "open %s", program);
	reason = why_not(fd);
	return reason == NULL ? 0
	                      : fail_input(failure,
	                                   "--scope fixed cannot see the calls of %s: %s; use "
	                                   "--scope all",
	                                   program, reason);
}
