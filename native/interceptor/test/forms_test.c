/*
 * Runs the interceptor on itself, in each mode. As its tracee it makes every handled call in every
 * form and prints what it saw; beside that it checks exit codes, signals and that nothing is left.
 *
 *   forms_test                 finds the interceptor two directories up, as the Makefile puts it
 *   forms_test --forms ROOT    the tracee's part
 */
#include "interceptor/test/raw.h"
#include "lib/test/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif
#ifndef SYS_statx
#define SYS_statx 332
#endif

#define FILE_PATH "/proc/sys/kernel/interceptor_test"
#define INNER_PATH "/proc/sys/kernel/interceptor_dir/inner"
#define VALUE "42\n"
#define PROC_SUPER_MAGIC 0x9fa0

extern char **environ;

/* LeakSanitizer cannot run in a traced process; the interceptor itself is not one. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return 1;
}

static char self[PATH_MAX];
static int failures;

/* The tracee's checks; as comments, because the plan is the outer program's. */
__attribute__((format(printf, 3, 4))) static void expect(long actual, long wanted,
                                                         const char *format, ...)
{
	va_list arguments;
	bool equal = actual == wanted;

	failures += !equal;
	printf("# %s ", equal ? "saw" : "WRONG");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	if (equal)
		printf(": %ld\n", actual);
	else
		printf(": %ld, not %ld\n", actual, wanted);
	fflush(stdout);
}

static long call(const char *what, long number, long a, long b, long c, long d)
{
	bool kept;
	long result = raw_call(number, a, b, c, d, &kept);

	if (!kept)
		expect(0, 1, "%s keeps its registers", what);
	return result;
}

static long address(const void *pointer)
{
	return (long)(intptr_t)pointer;
}

/* What is in the opened file: its number, or the error; closes it. */
static long content(long fd)
{
	char text[32] = "";
	ssize_t length;

	if (fd < 0)
		return fd;
	length = read((int)fd, text, sizeof text - 1);
	close((int)fd);
	return length < 0 ? -errno : atol(text);
}

struct how {
	uint64_t flags, mode, resolve;
};

/* gVisor of February 2026 has none; then there is none under the interceptor either. */
static bool has_openat2;

static void look_for_openat2(void)
{
	struct how how = {.flags = O_PATH};
	long fd = syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof how);

	has_openat2 = fd >= 0 || errno != ENOSYS;
	printf("# this kernel has %s openat2\n", has_openat2 ? "an" : "no");
}

/* A path as one caller may write it: text, and the directory it is relative to. */
struct form {
	const char *name;
	const char *text;
	int directory; /* AT_FDCWD for the current one */
};

static void opens(const struct form *form)
{
	struct how how = {.flags = O_RDONLY};
	long path = address(form->text);

	expect(content(call("openat", SYS_openat, form->directory, path, O_RDONLY, 0)), 42,
	       "openat %s", form->name);
	expect(
	    content(call("openat2", SYS_openat2, form->directory, path, address(&how), sizeof how)),
	    has_openat2 ? 42 : -ENOSYS, "openat2 %s", form->name);
#ifdef SYS_open
	if (form->directory == AT_FDCWD)
		expect(content(call("open", SYS_open, path, O_RDONLY, 0, 0)), 42, "open %s",
		       form->name);
#endif
}

static void stats(const struct form *form)
{
	struct stat status;
	long path = address(form->text), buffer = address(&status);

	expect(call("newfstatat", SYS_newfstatat, form->directory, path, buffer, 0), 0,
	       "newfstatat %s", form->name);
	expect(status.st_size, (long)strlen(VALUE), "newfstatat %s: size", form->name);
	expect(
	    call("newfstatat", SYS_newfstatat, form->directory, path, buffer, AT_SYMLINK_NOFOLLOW),
	    0, "newfstatat nofollow %s", form->name);
	/* Its fifth argument, the buffer, is nowhere: EFAULT comes after the look at the path. */
	expect(raw_call(SYS_statx, form->directory, path, 0, 0x7ff, &(bool){0}) != -ENOENT, 1,
	       "statx %s", form->name);
#ifdef SYS_stat
	if (form->directory == AT_FDCWD) {
		expect(call("stat", SYS_stat, path, buffer, 0, 0), 0, "stat %s", form->name);
		expect(call("lstat", SYS_lstat, path, buffer, 0, 0), 0, "lstat %s", form->name);
	}
#endif
}

static void others(const struct form *form)
{
	char link[64];
	long path = address(form->text);

	expect(call("faccessat", SYS_faccessat, form->directory, path, R_OK, 0), 0, "faccessat %s",
	       form->name);
	expect(call("faccessat2", SYS_faccessat2, form->directory, path, R_OK, AT_EACCESS), 0,
	       "faccessat2 %s", form->name);
	/* Not ENOENT: it is there and is no link. */
	expect(call("readlinkat", SYS_readlinkat, form->directory, path, address(link), 64),
	       -EINVAL, "readlinkat %s", form->name);
	if (form->directory == AT_FDCWD) {
		struct statfs status;

		expect(call("statfs", SYS_statfs, path, address(&status), 0, 0), 0, "statfs %s",
		       form->name);
		expect((long)status.f_type, PROC_SUPER_MAGIC, "statfs %s: type", form->name);
#ifdef SYS_access
		expect(call("access", SYS_access, path, R_OK, 0, 0), 0, "access %s", form->name);
		expect(call("readlink", SYS_readlink, path, address(link), 64, 0), -EINVAL,
		       "readlink %s", form->name);
#endif
	}
}

static void every_call(const struct form *form)
{
	opens(form);
	stats(form);
	others(form);
}

/* Two pages of which the second cannot be read; the text ends with the first. */
static const char *at_page_end(const char *text)
{
	long page = sysconf(_SC_PAGESIZE);
	size_t length = strlen(text) + 1;
	char *pages = mmap(NULL, (size_t)page * 2, PROT_READ | PROT_WRITE,
	                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memcpy(pages + page - length, text, length);
	mprotect(pages + page, (size_t)page, PROT_NONE);
	return pages + page - length;
}

/* The text lies across the boundary of two pages, neither of them writable. */
static const char *across_pages(const char *text)
{
	long page = sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, (size_t)page * 2, PROT_READ | PROT_WRITE,
	                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	strcpy(pages + page - 9, text);
	mprotect(pages, (size_t)page * 2, PROT_READ);
	return pages + page - 9;
}

static void forms(void)
{
	int sys = open("/proc/sys", O_PATH | O_DIRECTORY);
	int vm = open("/proc/sys/vm", O_RDONLY | O_DIRECTORY);
	int ours = open("/proc/sys/kernel/interceptor_dir", O_RDONLY | O_DIRECTORY);
	const struct form table[] = {
	    {"absolute", FILE_PATH, AT_FDCWD},
	    {"absolute, with an unused directory", FILE_PATH, vm},
	    {"in a directory that only the tree has", INNER_PATH, AT_FDCWD},
	    {"with slashes and dots", "//proc/./sys///kernel/.//interceptor_test", AT_FDCWD},
	    {"with double dots", "/proc/sys/vm/../../sys/kernel/interceptor_test", AT_FDCWD},
	    {"ending at a page's end", at_page_end(FILE_PATH), AT_FDCWD},
	    {"across two pages", across_pages(FILE_PATH), AT_FDCWD},
	    {"relative to /proc/sys", "kernel/interceptor_test", sys},
	    {"relative to /proc/sys/vm", "../kernel/interceptor_test", vm},
	    {"relative to the tree's directory", "inner", ours},
	    {"out of the tree's directory", "../interceptor_test", ours},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		every_call(&table[i]);
	if (chdir("/proc/sys/kernel") == 0)
		every_call(
		    &(struct form){"in the current directory", "interceptor_test", AT_FDCWD});
	if (chdir("/") == 0)
		every_call(&(struct form){"from /", "proc/sys/kernel/interceptor_test", AT_FDCWD});
	expect(call("chdir", SYS_chdir, address("/proc/sys/kernel/interceptor_dir"), 0, 0, 0), 0,
	       "chdir to a directory that only the tree has");
	every_call(&(struct form){"in that directory", "inner", AT_FDCWD});
	every_call(&(struct form){"above that directory", "../interceptor_test", AT_FDCWD});
	expect(open("nothing", O_WRONLY | O_CREAT, 0644), -1, "nothing can be made in it");
	expect(content(open("../ostype", O_RDONLY)), 0, "the real files around it are seen");
	if (chdir("/") != 0)
		abort();
	close(sys);
	close(vm);
	close(ours);
}

static void openat2_resolves(void)
{
	struct how how = {.flags = O_RDONLY, .resolve = 0x08 /* RESOLVE_BENEATH */};
	int sys = open("/proc/sys", O_PATH | O_DIRECTORY);

	expect(content(call("openat2", SYS_openat2, sys, address("kernel/interceptor_test"),
	                    address(&how), sizeof how)),
	       has_openat2 ? 42 : -ENOSYS, "openat2 beneath a directory");
	expect((long)how.resolve, 0x08, "openat2 leaves its struct alone");
	close(sys);
}

static void refuses(void)
{
	char too_long[PATH_MAX + 16];
	char linked[PATH_MAX];
	struct stat status;
	int fd = open("/proc/sys", O_PATH | O_DIRECTORY);

	memset(too_long, 'a', sizeof too_long);
	too_long[sizeof too_long - 1] = '\0';
	expect(call("openat", SYS_openat, AT_FDCWD, 0, O_RDONLY, 0), -EFAULT, "no path");
	expect(call("openat", SYS_openat, AT_FDCWD, address(""), O_RDONLY, 0), -ENOENT,
	       "an empty path");
	expect(call("openat", SYS_openat, AT_FDCWD, address(too_long), O_RDONLY, 0), -ENAMETOOLONG,
	       "a path too long");
	expect(call("openat", SYS_openat, 12345, address("kernel/interceptor_test"), O_RDONLY, 0),
	       -EBADF, "a bad directory");
	expect(call("openat", SYS_openat, AT_FDCWD, address(FILE_PATH "/"), O_RDONLY, 0), -ENOTDIR,
	       "a file as a directory");
	expect(call("openat", SYS_openat, AT_FDCWD, address(FILE_PATH), O_RDONLY | O_DIRECTORY, 0),
	       -ENOTDIR, "a file opened as a directory");
	expect(call("newfstatat", SYS_newfstatat, fd, address(""), address(&status), AT_EMPTY_PATH),
	       0, "fstat");
	expect(call("openat", SYS_openat, AT_FDCWD, address("/proc/sys/kernel/interceptor_absent"),
	            O_WRONLY | O_CREAT, 0644) < 0,
	       1, "making what is not there");
	snprintf(linked, sizeof linked, "/tmp/interceptor-link-%d", getpid());
	if (symlink("/usr/bin", linked) != 0)
		abort();
	strcat(linked, "/../proc/sys/kernel/interceptor_test");
	expect(call("openat", SYS_openat, AT_FDCWD, address(linked), O_RDONLY, 0), -ENOENT,
	       "double dots after a symbolic link");
	linked[strlen(linked) - strlen("/../proc/sys/kernel/interceptor_test")] = '\0';
	unlink(linked);
	close(fd);
}

static void put(int fd, const char *text)
{
	expect(write(fd, text, strlen(text)), (long)strlen(text), "write %s", text);
	close(fd);
}

static void writes(void)
{
	put(open(FILE_PATH, O_WRONLY), "12345");
	expect(content(open(FILE_PATH, O_RDONLY)), 12345, "what was written");
	put(open(FILE_PATH, O_WRONLY), "6");
	expect(content(open(FILE_PATH, O_RDONLY)), 6, "a shorter value");
	put(open(FILE_PATH, O_WRONLY | O_APPEND), "7");
	expect(content(open(FILE_PATH, O_RDONLY)), 7, "an appended value replaces");
	put(open(FILE_PATH, O_WRONLY | O_CREAT | O_TRUNC, 0640), "8");
	expect(content(open(FILE_PATH, O_RDONLY)), 8, "with O_CREAT and O_TRUNC");
	expect(call("openat", SYS_openat, AT_FDCWD, address(FILE_PATH), O_WRONLY | O_CREAT | O_EXCL,
	            0644),
	       -EEXIST, "O_EXCL");
	put(open(FILE_PATH, O_RDWR), "9");
	expect(content(open(FILE_PATH, O_RDONLY)), 9, "with O_RDWR");
#ifdef SYS_creat
	put((int)call("creat", SYS_creat, address(FILE_PATH), 0644, 0, 0), "10");
	expect(content(open(FILE_PATH, O_RDONLY)), 10, "with creat");
#endif
	expect(call("truncate", SYS_truncate, address(FILE_PATH), 0, 0, 0), 0, "truncate");
	put(open(FILE_PATH, O_WRONLY), VALUE);
}

static void mountinfos(void)
{
	char by_id[64], by_task[64];
	const char *paths[] = {"/proc/self/mountinfo", "/proc/thread-self/mountinfo", by_id,
	                       by_task};

	snprintf(by_id, sizeof by_id, "/proc/%d/mountinfo", getpid());
	snprintf(by_task, sizeof by_task, "/proc/self/task/%d/mountinfo", getpid());
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		FILE *file = fopen(paths[i], "r");
		char line[4096];
		int mounts = 0, shared = 0;

		while (file != NULL && fgets(line, sizeof line, file) != NULL) {
			mounts++;
			shared +=
			    strstr(line, " shared:") != NULL || strstr(line, " unbindable") != NULL;
		}
		expect(mounts > 0, 1, "%s is there", paths[i]);
		expect(shared, mounts, "%s: shared mounts", paths[i]);
		if (file != NULL)
			fclose(file);
	}
}

static void *open_often(void *times)
{
	for (long i = 0; i < (long)(intptr_t)times; i++)
		if (content(open(i % 2 == 0 ? FILE_PATH : INNER_PATH, O_RDONLY)) != 42)
			return (void *)1;
	return NULL;
}

static void threads(void)
{
	pthread_t ids[16];
	long wrong = 0;

	for (size_t i = 0; i < 16; i++)
		pthread_create(&ids[i], NULL, open_often, (void *)(intptr_t)50);
	for (size_t i = 0; i < 16; i++) {
		void *result;

		pthread_join(ids[i], &result);
		wrong += result != NULL;
	}
	expect(wrong, 0, "threads of 16 that saw something else");
}

static volatile sig_atomic_t alarms, alarms_wrong;

static void on_alarm(int number)
{
	int saved = errno;

	(void)number;
	alarms++;
	alarms_wrong += content(open(INNER_PATH, O_RDONLY)) != 42;
	errno = saved;
}

static void signals(void)
{
	long wrong = 0;

	signal(SIGALRM, on_alarm);
	for (int i = 0; alarms < 100; i++) {
		/* Each once, at changing points of the open: before, in the middle of and after. */
		setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {0, 1 + i * 7 % 500}}, NULL);
		wrong += content(open(FILE_PATH, O_RDONLY)) != 42;
	}
	setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
	expect(wrong, 0, "wrong opens under signals");
	expect(alarms_wrong, 0, "wrong opens in signal handlers");
}

/* The status of a child that runs the function: its exit code, or -signal. */
static long child(int (*run)(void))
{
	pid_t id = fork();
	int status;

	if (id == 0)
		_exit(run());
	waitpid(id, &status, 0);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int read_it(void)
{
	return (int)content(open(FILE_PATH, O_RDONLY));
}

static int read_it_undumpable(void)
{
	prctl(PR_SET_DUMPABLE, 0);
	return read_it();
}

static int read_it_as_nobody(void)
{
	return setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0
	           ? 1
	           : read_it();
}

static char empty[] = "/tmp/interceptor-empty-XXXXXX";

static int read_it_elsewhere(void)
{
	if (chroot(empty) != 0 || chdir("/") != 0)
		return 1;
	return open(FILE_PATH, O_RDONLY) < 0 ? errno : 0;
}

static int filtered(uint32_t action)
{
	struct sock_filter instructions[] = {
	    {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr)},
	    {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_openat},
	    {BPF_RET | BPF_K, 0, 0, action},
	    {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
	};
	struct sock_fprog program = {.len = 4, .filter = instructions};
	long fd;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		return 1;
	fd = call("openat", SYS_openat, AT_FDCWD, address(FILE_PATH), O_RDONLY, 0);
	return fd < 0 ? (int)-fd : (int)content(fd);
}

static int filtered_allowing(void)
{
	return filtered(SECCOMP_RET_ALLOW);
}

static int filtered_refusing(void)
{
	return filtered(SECCOMP_RET_ERRNO | EXDEV);
}

static void *stop_and_exec(void *unused)
{
	(void)unused;
	execl("/proc/self/exe", "forms_test", "--exit", "9", NULL);
	return NULL;
}

/* A thread that is not the leader executes while all others open. */
static int exec_with_threads(void)
{
	pthread_t id;

	for (int i = 0; i < 4; i++)
		pthread_create(&id, NULL, open_often, (void *)(intptr_t)1000000);
	pthread_create(&id, NULL, stop_and_exec, NULL);
	pthread_join(id, NULL);
	return 1;
}

static int open_forever(void)
{
	pthread_t id;

	for (int i = 0; i < 4; i++)
		pthread_create(&id, NULL, open_often, (void *)(intptr_t)1000000);
	open_often((void *)(intptr_t)1000000);
	return 1;
}

static long kill_while_opening(void)
{
	int status;
	pid_t id = fork();

	if (id == 0)
		_exit(open_forever());
	for (int i = 0; i < 20; i++)
		content(open(FILE_PATH, O_RDONLY));
	kill(id, SIGKILL);
	waitpid(id, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static int stop_self(void)
{
	raise(SIGSTOP);
	return read_it();
}

static void group_stop(void)
{
	int status = 0;
	pid_t id = fork();

	if (id == 0)
		_exit(stop_self());
	waitpid(id, &status, WUNTRACED);
	expect(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP, 1, "a job control stop");
	kill(id, SIGCONT);
	waitpid(id, &status, 0);
	expect(WEXITSTATUS(status), 42, "going on after it");
}

static void processes(void)
{
	char read_option[] = "--read", read_path[] = FILE_PATH;
	char *read_argv[] = {self, read_option, read_path, NULL};
	pid_t id;
	int status = 0;

	expect(child(read_it), 42, "in a child");
	expect(child(read_it_undumpable), 42, "in a process that is not dumpable");
	if (geteuid() == 0) {
		expect(child(read_it_as_nobody), 42, "as another user");
		if (mkdtemp(empty) == NULL)
			abort();
		expect(child(read_it_elsewhere), ENOENT, "with another root directory");
		rmdir(empty);
	}
	expect(child(filtered_allowing), 42, "under another filter");
	expect(child(filtered_refusing), EXDEV, "under another filter that refuses");
	expect(child(exec_with_threads), 9, "exec by a thread");
	for (int i = 0; i < 10; i++)
		expect(kill_while_opening(), SIGKILL, "killed while opening");
	group_stop();
	/* Uses vfork, or clone with CLONE_VM. */
	expect(posix_spawn(&id, "/proc/self/exe", NULL, NULL, read_argv, environ), 0,
	       "posix_spawn");
	waitpid(id, &status, 0);
	expect(WEXITSTATUS(status), 42, "in a spawned program");
}

#ifdef __x86_64__
static int call_i386(void)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20L /* getpid */) : "memory");
	return result == -ENOSYS ? ENOSYS : 0;
}

static void foreign_calls(bool refused)
{
	long i386 = child(call_i386);

	/* Where the kernel has no such calls at all it sends SIGSEGV. */
	if (refused)
		expect(i386 == ENOSYS || i386 == -SIGSEGV, 1, "an i386 call is refused");
	expect(syscall(0x40000000 | 39 /* getpid */), -1, "an x32 call is refused");
}
#endif

static int tracee(const char *mode)
{
	bool filtered_mode = strcmp(mode, "syscall") != 0;

	look_for_openat2();
	forms();
	openat2_resolves();
	refuses();
	writes();
	mountinfos();
	expect(open("/dev/kmsg", O_RDONLY | O_NONBLOCK) >= 0, 1, "/dev/kmsg");
	expect(content(open("/etc/interceptor_given", O_RDONLY)), 5, "a given file");
	threads();
	signals();
	processes();
#ifdef __x86_64__
	foreign_calls(filtered_mode);
#else
	(void)filtered_mode;
#endif
	printf("# %d wrong\n", failures);
	return failures == 0 ? 0 : 1;
}

/* ---- The outer program ---- */

static char interceptor[PATH_MAX], root[] = "/tmp/forms-XXXXXX";

static void make_file(const char *path, const char *text)
{
	char target[PATH_MAX];
	FILE *file;

	snprintf(target, sizeof target, "%s%s", root, path);
	for (char *slash = strchr(target + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(target, 0755);
		*slash = '/';
	}
	file = fopen(target, "w");
	fputs(text, file);
	fclose(file);
}

static pid_t start(const char *mode, const char *const *arguments)
{
	const char *argv[16] = {interceptor, "--root", root, "--mode", mode, "--"};
	pid_t id;
	size_t count = 6;

	while (*arguments != NULL)
		argv[count++] = *arguments++;
	fflush(stdout);
	id = fork();
	if (id == 0) {
		execv(interceptor, (char **)(uintptr_t)argv);
		_exit(99);
	}
	return id;
}

static long finish(pid_t id)
{
	int status;

	waitpid(id, &status, 0);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void exit_codes(const char *mode)
{
	static const char *const codes[] = {"0", "1", "77", "126", "255"};
	static const int killers[] = {SIGKILL, SIGTERM, SIGSEGV};

	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		check_number(finish(start(mode, (const char *[]){self, "--exit", codes[i], NULL})),
		             atol(codes[i]), "the program's exit code");
	for (size_t i = 0; i < sizeof killers / sizeof killers[0]; i++) {
		char number[8];

		snprintf(number, sizeof number, "%d", killers[i]);
		check_number(finish(start(mode, (const char *[]){self, "--kill", number, NULL})),
		             128 + killers[i], "128 + the signal that ended the program");
	}
	check_number(finish(start(mode, (const char *[]){"/nothing/here", NULL})), 127,
	             "a program that is not there");
	check_number(finish(start(mode, (const char *[]){root, NULL})), 126,
	             "a program that cannot be executed");
}

/* Starts a program that tells through a pipe when it is ready, and by closing it that it ended. */
static pid_t start_waiting(const char *mode, int *fd)
{
	int ends[2];
	char number[16], byte;
	pid_t id;

	if (pipe(ends) != 0)
		abort();
	fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	snprintf(number, sizeof number, "%d", ends[1]);
	id = start(mode, (const char *[]){self, "--wait", number, NULL});
	close(ends[1]);
	*fd = ends[0];
	check_number(read(*fd, &byte, 1), 1, "the program is ready");
	return id;
}

static void signals_and_death(const char *mode)
{
	int fd;
	char byte;
	pid_t id = start_waiting(mode, &fd);

	kill(id, SIGTERM);
	check_number(finish(id), 33, "SIGTERM reaches the program");
	close(fd);
	id = start_waiting(mode, &fd);
	kill(id, SIGKILL);
	check_number(finish(id), -SIGKILL, "the interceptor can be killed");
	check_number(read(fd, &byte, 1), 0, "and nothing of its program is left");
	close(fd);
}

static void on_term(int number)
{
	(void)number;
	_exit(33);
}

static int wait_for_signal(int fd)
{
	signal(SIGTERM, on_term);
	/* A grandchild holds the pipe too. */
	if (fork() == 0)
		for (;;)
			pause();
	if (write(fd, "", 1) != 1)
		return 1;
	for (;;)
		pause();
}

static void remove_root(void)
{
	pid_t id = fork();

	if (id == 0) {
		execlp("rm", "rm", "-rf", root, NULL);
		_exit(99);
	}
	check_number(finish(id), 0, "the tree is removed");
}

int main(int argc, char **argv)
{
	static const char *const modes[] = {"auto", "syscall"};

	if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
		abort();
	if (argc == 3 && strcmp(argv[1], "--forms") == 0)
		return tracee(argv[2]);
	if (argc == 3 && strcmp(argv[1], "--read") == 0)
		return (int)content(open(argv[2], O_RDONLY));
	if (argc == 3 && strcmp(argv[1], "--exit") == 0)
		return atoi(argv[2]);
	if (argc == 3 && strcmp(argv[1], "--wait") == 0)
		return wait_for_signal(atoi(argv[2]));
	if (argc == 3 && strcmp(argv[1], "--kill") == 0) {
		signal(atoi(argv[2]), SIG_DFL);
		raise(atoi(argv[2]));
		return 1;
	}
	if (mkdtemp(root) == NULL)
		abort();
	snprintf(interceptor, sizeof interceptor, "%s", self);
	strcpy(strstr(interceptor, "/test/interceptor/"), "/interceptor");
	chmod(root, 0755);
	make_file(FILE_PATH, VALUE);
	make_file(INNER_PATH, VALUE);
	make_file("/etc/interceptor_given", "5\n");
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		check_number(
		    finish(start(modes[i], (const char *[]){self, "--forms", modes[i], NULL})), 0,
		    modes[i]);
		exit_codes(modes[i]);
		signals_and_death(modes[i]);
	}
	remove_root();
	return tap_done();
}
