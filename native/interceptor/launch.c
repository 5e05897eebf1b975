#include "interceptor/launch.h"

#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

int launch_install(const struct sock_filter *program, size_t length)
{
	/* The kernel only reads it; its header has no const. */
	struct sock_fprog filter = {.len = (unsigned short)length,
	                            .filter = (struct sock_filter *)(uintptr_t)program};

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0)
		return 0;
	/* Without CAP_SYS_ADMIN the kernel wants to know that no set-uid program gains from it. */
	if (errno != EACCES)
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0)
		return -errno;
	return 0;
}

pid_t launch(void (*run)(void *context), void *context, unsigned long options,
             struct failure *failure)
{
	cleanup_fd int go = -1;
	cleanup_fd int wait = -1;
	int ends[2];
	char byte = 0;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return fail(failure, errno, "make a pipe");
	wait = ends[0];
	go = ends[1];
	child = fork();
	if (child < 0)
		return fail(failure, errno, "start a process");
	if (child == 0) {
		close(steal_fd(&go));
		/* End of file: the tracer is gone, or was refused. */
		if (read(wait, &byte, 1) == 1)
			run(context);
		_exit(1);
	}
	if (ptrace(PTRACE_SEIZE, child, 0, options) != 0) {
		fail(failure, errno, "trace process %d", child);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		return -failure->error;
	}
	if (write(go, &byte, 1) != 1)
		return fail(failure, errno, "release process %d", child);
	return child;
}
