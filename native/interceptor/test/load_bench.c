/*
 * Does one thing COUNT times, in batches, and prints how many nanoseconds it took each time in the
 * fastest batch: that one was disturbed least by whatever else the machine does.
 *
 *   load_bench null COUNT             three calls that nothing handles and that do nothing
 *   load_bench traced COUNT           the same with a tracer that sleeps, and without any filter
 *   load_bench work COUNT             calls that nothing handles: reads 64 KiB, writes them
 *   load_bench open COUNT PATH        open and close
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BATCHES = 50 };

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void null_calls(long count, const char *unused)
{
	(void)unused;
	for (long i = 0; i < count; i++) {
		syscall(SYS_getppid);
		syscall(SYS_getppid);
		syscall(SYS_getppid);
	}
}

/* The first batch begins in a child that is traced from there on; its parent only waits. */
static void traced_calls(long count, const char *path)
{
	static pid_t child = -1;
	int status;

	if (child < 0) {
		child = fork();
		if (child < 0)
			abort();
		if (child > 0) {
			if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status) ||
			    ptrace(PTRACE_CONT, child, NULL, NULL) != 0 ||
			    waitpid(child, &status, 0) != child)
				abort();
			_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
		}
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || raise(SIGSTOP) != 0)
			abort();
	}
	null_calls(count, path);
}

static void work(long count, const char *unused)
{
	static char block[65536];
	int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);

	(void)unused;
	for (long i = 0; i < count; i++)
		if (read(zero, block, sizeof block) != sizeof block ||
		    write(null, block, sizeof block) != sizeof block)
			abort();
}

static void opens(long count, const char *path)
{
	for (long i = 0; i < count; i++) {
		int fd = open(path, O_RDONLY);

		if (fd < 0)
			abort();
		close(fd);
	}
}

static long long fastest(void (*run)(long count, const char *path), long count, const char *path)
{
	long batch = (count + BATCHES - 1) / BATCHES;
	long long best = -1;

	for (int i = 0; i < BATCHES; i++) {
		long long begin = now(), time;

		run(batch, path);
		time = (now() - begin) / batch;
		if (best < 0 || time < best)
			best = time;
	}
	return best;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(long count, const char *path);
		int arguments;
	} kinds[] = {{"null", null_calls, 3},
	             {"traced", traced_calls, 3},
	             {"work", work, 3},
	             {"open", opens, 4}};

	for (size_t i = 0; argc >= 3 && i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(argv[1], kinds[i].name) == 0 && argc == kinds[i].arguments) {
			printf("%lld\n", fastest(kinds[i].run, atol(argv[2]), argv[3]));
			return 0;
		}
	}
	fputs("usage: load_bench null COUNT | traced COUNT | work COUNT | open COUNT PATH\n", stderr);
	return 2;
}
