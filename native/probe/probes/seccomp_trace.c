#include "probe/probe.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Stops before every getppid and nothing else. */
static struct sock_filter filter[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static void be_traced(void)
{
	const struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};

	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(errno);
	raise(SIGSTOP);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		_exit(errno);
	syscall(SYS_getppid);
	_exit(0);
}

/* Lets the child run to its next stop: 0 when it is the wanted one, else -errno. */
static int next_stop(pid_t pid, int wanted)
{
	int status;

	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == 0 ? -ENOMSG : -WEXITSTATUS(status);
	return WIFSTOPPED(status) && status >> 8 == wanted ? 0 : -EPROTO;
}

/*
 * Stops at chosen system calls only: how paths are redirected where nothing can be mounted. The
 * alternative, a stop at every call, slows the API server until its start hooks fail.
 */
int probe_seccomp_trace(struct attempt *attempt)
{
	unsigned long options = PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL;
	pid_t pid = fork();
	int error;

	if (pid < 0)
		return fail(&attempt->failure, errno, "fork");
	if (pid == 0)
		be_traced();
	error = next_stop(pid, SIGSTOP);
	if (error == 0 && ptrace(PTRACE_SETOPTIONS, pid, NULL, options) != 0)
		error = -errno;
	if (error == 0 && ptrace(PTRACE_CONT, pid, NULL, NULL) != 0)
		error = -errno;
	if (error == 0)
		error = next_stop(pid, SIGTRAP | PTRACE_EVENT_SECCOMP << 8);
	kill(pid, SIGKILL);
	return error != 0 ? fail(&attempt->failure, -error, "stop at a chosen system call") : 0;
}
