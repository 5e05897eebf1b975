/*
 * Runs a program, and all it starts, answering the files that the kernel lacks. A seccomp filter
 * stops the calls that take a path; a stopped call whose path is to be answered is sent to a file
 * that stands for it. Every other call runs untouched, at full speed.
 */
#include "interceptor/generated.h"
#include "interceptor/launch.h"
#include "interceptor/measure.h"
#include "interceptor/options.h"
#include "interceptor/static_program.h"
#include "interceptor/stats.h"
#include "interceptor/temporary.h"
#include "interceptor/tracer.h"
#include "lib/die.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Signals that ask a program to do something: they are meant for the one that is run. */
static const int forwarded[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};

static volatile pid_t program_id;

static void forward(int number, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)context;
	/* What the terminal sends (SI_KERNEL) it sends to the program as well. */
	if (info->si_code <= 0 && program_id > 0)
		kill(program_id, number);
	errno = saved;
}

static void for_forwarded(void (*apply)(int number))
{
	for (size_t i = 0; i < sizeof forwarded / sizeof forwarded[0]; i++)
		apply(forwarded[i]);
}

static void install_forwarding(int number)
{
	struct sigaction action = {.sa_sigaction = forward, .sa_flags = SA_SIGINFO | SA_RESTART};

	sigaction(number, &action, NULL);
}

static sigset_t forwarded_set;

static void add_forwarded(int number)
{
	sigaddset(&forwarded_set, number);
}

struct start {
	char **argv;
	const struct sock_filter *filter;
	size_t length;
};

/* In the child, already traced. */
static void run(void *context)
{
	const struct start *start = context;
	int error = start->length == 0 ? 0 : launch_install(start->filter, start->length);

	if (error != 0) {
		fprintf(stderr, "Failed to install the filter: %s\n", strerror(-error));
		_exit(1);
	}
	sigprocmask(SIG_UNBLOCK, &forwarded_set, NULL);
	execvp(start->argv[0], start->argv);
	fprintf(stderr, "Failed to execute %s: %s\n", start->argv[0], strerror(errno));
	_exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE);
}

static enum mode choose_mode(enum wanted_mode wanted)
{
	struct failure failure;
	enum mode mode;

	if (measure_mode(&mode, &failure) != 0)
		die(&failure);
	if (wanted == WANT_SYSCALL)
		return MODE_SYSCALL;
	if (wanted == WANT_SECCOMP && mode == MODE_SYSCALL) {
		errno = EINVAL;
		die_errno("install a seccomp filter that stops for a tracer");
	}
	return mode;
}

static int exit_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int trace(const struct options *options, struct tracer *tracer)
{
	struct sock_filter filter[FILTER_CAPACITY];
	struct start start = {.argv = options->program, .filter = filter};
	struct failure failure;
	pid_t program;

	if (tracer->mode != MODE_SYSCALL)
		start.length = filter_build(tracer->selection->kinds, options->scope, filter);
	sigemptyset(&forwarded_set);
	for_forwarded(add_forwarded);
	sigprocmask(SIG_BLOCK, &forwarded_set, NULL);
	program = launch(run, &start, TRACER_OPTIONS, &failure);
	if (program < 0)
		die(&failure);
	program_id = program;
	for_forwarded(install_forwarding);
	sigprocmask(SIG_UNBLOCK, &forwarded_set, NULL);
	return exit_code(tracer_run(tracer, program));
}

int main(int argc, char **argv)
{
	struct options options;
	struct failure failure;
	struct selection selection = {0};
	struct tracer tracer = {.selection = &selection};
	int code;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		fputs(options_usage, stdout);
		return 0;
	}
	if (options_parse(argv, &options, &failure) != 0)
		die_usage("%s", failure.message);
	if (options.scope == SCOPE_FIXED && static_program_check(options.program[0], &failure) != 0)
		die(&failure);
	/* Tracees of any user must be able to read what answers them. */
	umask(022);
	if (options.root != NULL)
		strcpy(selection.answers.root, options.root);
	else if (temporary_make(selection.answers.root, &failure) != 0)
		die(&failure);
	tracer.mode = choose_mode(options.mode);
	if (selection_prepare(&selection, &failure) != 0)
		die(&failure);
	code = trace(&options, &tracer);
	if (options.stats != NULL && stats_write(options.stats, &tracer, &failure) != 0)
		die(&failure);
	generated_end(selection.answers.root);
	if (options.root == NULL && temporary_remove(selection.answers.root, &failure) != 0)
		die(&failure);
	tracees_free(&tracer.tracees);
	answers_free(&selection.answers);
	return code;
}
