#include "interceptor/options.h"

#include "lib/test/tap.h"

#include <errno.h>
#include <stdint.h>

static char long_root[256];

static void accepts(void)
{
	const char *argv[] = {"interceptor", "--root",  "/r",      "--stats", "/s",
	                      "--mode",      "syscall", "--scope", "fixed",   "--",
	                      "p",           "--root",  NULL};
	const char *short_argv[] = {"interceptor", "--", "p", NULL};
	struct options options;
	struct failure failure;

	check_number(options_parse((char **)(uintptr_t)argv, &options, &failure), 0, "all options");
	check_text(options.root, "/r", "the root");
	check_text(options.stats, "/s", "the file for counts");
	check_number(options.mode, WANT_SYSCALL, "the mode");
	check_number(options.scope, SCOPE_FIXED, "the scope");
	check_text(options.program[0], "p", "the program");
	check_text(options.program[1], "--root", "its first argument");
	check_number(options_parse((char **)(uintptr_t)short_argv, &options, &failure), 0,
	             "no options");
	check(options.root == NULL && options.stats == NULL && options.mode == WANT_AUTO &&
	          options.scope == SCOPE_ALL,
	      "the defaults");
}

static void refuses(void)
{
	static const struct {
		const char *argv[6];
		const char *message;
	} table[] = {
	    {{"i", NULL}, "The program to run is missing; it follows --"},
	    {{"i", "--", NULL}, "The program to run is missing; it follows --"},
	    {{"i", "p", NULL}, "p is no option of interceptor; see --help"},
	    {{"i", "--root", NULL}, "--root is missing; it must be an absolute path"},
	    {{"i", "--root", "r", "--", "p", NULL}, "--root is r; it must be an absolute path"},
	    {{"i", "--root", long_root, "--", "p", NULL},
	     "--root is 255 bytes long; it must be at most 95"},
	    {{"i", "--stats", NULL}, "--stats is missing its file"},
	    {{"i", "--mode", "fast", "--", "p", NULL},
	     "--mode is fast; see --help for what it can be"},
	    {{"i", "--mode", NULL}, "--mode is missing; see --help for what it can be"},
	    {{"i", "--scope", "", "--", "p", NULL}, "--scope is ; see --help for what it can be"},
	};

	memset(long_root, '/', sizeof long_root - 1);
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct options options;
		struct failure failure = {0};

		check_number(options_parse((char **)(uintptr_t)table[i].argv, &options, &failure),
		             -EINVAL, table[i].message);
		check_text(failure.message, table[i].message, "the message");
	}
}

int main(void)
{
	accepts();
	refuses();
	return tap_done();
}
