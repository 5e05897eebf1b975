#include "interceptor/options.h"

#include "interceptor/answers.h"

#include <string.h>

const char options_usage[] =
    "Usage: interceptor [--root DIR] [--stats FILE] [--mode auto|seccomp|syscall]\n"
    "                   [--scope all|fixed] -- PROGRAM [ARGUMENT...]\n"
    "Runs PROGRAM and answers the files that this kernel lacks.\n"
    "  --root DIR    tree of answers, mirroring /: files in it stand for the real ones, missing\n"
    "                ones are added; at most 95 bytes. Default: one in TMPDIR or /tmp, removed at\n"
    "                the end\n"
    "  --stats FILE  writes what was done, NAME <TAB> NUMBER, at the end\n"
    "  --mode        auto (default): seccomp if it is there, as measured; syscall: stop at every\n"
    "                system call\n"
    "  --scope       all (default): whoever makes the call; fixed: only code below 4 GiB, which\n"
    "                is where static programs that are not position-independent have theirs\n"
    "Exits with PROGRAM's status, 128+N if signal N ended it, 126 if it cannot be executed, 127\n"
    "if it is not found, 2 for a wrong command line, 1 for a failure of its own.\n";

struct word {
	const char *text;
	int value;
};

static int choose(const char *option, const char *text, const struct word *words, int *value,
                  struct failure *failure)
{
	for (; words->text != NULL; words++) {
		if (text != NULL && strcmp(text, words->text) == 0) {
			*value = words->value;
			return 0;
		}
	}
	return fail_input(failure, "%s is %s; see --help for what it can be", option,
	                  text == NULL ? "missing" : text);
}

static int choose_root(const char *text, struct options *options, struct failure *failure)
{
	if (text == NULL || text[0] != '/')
		return fail_input(failure, "--root is %s; it must be an absolute path",
		                  text == NULL ? "missing" : text);
	if (strlen(text) >= ROOT_SIZE)
		return fail_input(failure, "--root is %zu bytes long; it must be at most %d",
		                  strlen(text), ROOT_SIZE - 1);
	options->root = text;
	return 0;
}

static int parse_option(const char *name, const char *value, struct options *options,
                        struct failure *failure)
{
	static const struct word modes[] = {
	    {"auto", WANT_AUTO}, {"seccomp", WANT_SECCOMP}, {"syscall", WANT_SYSCALL}, {0}};
	static const struct word scopes[] = {{"all", SCOPE_ALL}, {"fixed", SCOPE_FIXED}, {0}};
	int choice = 0;
	int error;

	if (strcmp(name, "--root") == 0)
		return choose_root(value, options, failure);
	if (strcmp(name, "--stats") == 0) {
		options->stats = value;
		return value != NULL ? 0 : fail_input(failure, "--stats is missing its file");
	}
	if (strcmp(name, "--mode") == 0) {
		error = choose(name, value, modes, &choice, failure);
		options->mode = (enum wanted_mode)choice;
		return error;
	}
	if (strcmp(name, "--scope") == 0) {
		error = choose(name, value, scopes, &choice, failure);
		options->scope = (enum filter_scope)choice;
		return error;
	}
	return fail_input(failure, "%s is no option of interceptor; see --help", name);
}

int options_parse(char **argv, struct options *options, struct failure *failure)
{
	*options = (struct options){0};
	for (argv++; *argv != NULL && strcmp(*argv, "--") != 0; argv += 2) {
		int error = parse_option(argv[0], argv[1], options, failure);

		if (error != 0)
			return error;
	}
	if (argv[0] == NULL || argv[1] == NULL)
		return fail_input(failure, "The program to run is missing; it follows --");
	options->program = argv + 1;
	return 0;
}
