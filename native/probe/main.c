/*
 * probe: says what this machine allows, a line each: NAME, yes|no|crashed, EVIDENCE, separated by
 * TABs (lib/fields.h). It leaves nothing behind.
 */
#include "lib/die.h"
#include "lib/directory.h"
#include "lib/fields.h"
#include "probe/sacrifice.h"
#include "probe/scratch.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SYSCTLS 64
#define USAGE "usage: probe --scratch DIRECTORY [--mapper ARGUMENT]... [--sysctl PATH]..."

struct options {
	const char *scratch;
	struct strings mapper;
	const char *sysctls[SYSCTLS];
	size_t sysctl_count;
};

static struct options parse_options(int count, char **arguments)
{
	struct options options = {0};

	for (int i = 1; i < count; i += 2) {
		if (i + 1 == count)
			die_usage("Missing value of %s\n%s", arguments[i], USAGE);
		if (strcmp(arguments[i], "--scratch") == 0)
			options.scratch = arguments[i + 1];
		else if (strcmp(arguments[i], "--mapper") == 0 &&
		         strings_add(&options.mapper, arguments[i + 1]) == 0)
			continue;
		else if (strcmp(arguments[i], "--sysctl") == 0 && options.sysctl_count < SYSCTLS)
			options.sysctls[options.sysctl_count++] = arguments[i + 1];
		else
			die_usage("Unexpected %s\n%s", arguments[i], USAGE);
	}
	if (options.scratch == NULL)
		die_usage("Missing --scratch\n%s", USAGE);
	return options;
}

static void print(const char *prefix, const char *name, const struct answer *answer)
{
	static const char *const results[] = {
	    [RESULT_YES] = "yes",
	    [RESULT_NO] = "no",
	    [RESULT_CRASHED] = "crashed",
	};
	char evidence[2 * sizeof answer->evidence];

	if (fields_escape(answer->evidence, evidence, sizeof evidence) < 0)
		snprintf(evidence, sizeof evidence, "evidence too long");
	printf("%s%s\t%s\t%s\n", prefix, name, results[answer->result], evidence);
}

static void attempt_all(const struct options *options, const char *scratch)
{
	enum place best = PLACE_RUNNER;
	struct means means = {.scratch = scratch, .mapper = options->mapper};
	struct answer answer;

	for (size_t i = 0; i < probe_count; i++) {
		enum place place = probes[i].place == PLACE_BEST ? best : probes[i].place;

		sacrifice(probes[i].attempt, place, &means, NULL, &answer);
		/* The first that can be made; PLACE_RUNNER when none can. */
		if (probes[i].attempt == probe_namespaces && answer.result == RESULT_YES &&
		    best == PLACE_RUNNER)
			best = place;
		print("", probes[i].name, &answer);
	}
	for (size_t i = 0; i < options->sysctl_count; i++) {
		sacrifice(probe_sysctl, best, &means, options->sysctls[i], &answer);
		print("sysctl:", options->sysctls[i], &answer);
	}
}

int main(int count, char **arguments)
{
	struct options options = parse_options(count, arguments);
	char scratch[PATH_MAX];
	struct failure failure;

	if (scratch_make(options.scratch, scratch, sizeof scratch, &failure) != 0)
		die(&failure);
	attempt_all(&options, scratch);
	strings_free(&options.mapper);
	if (directory_remove(scratch, &failure) != 0)
		die(&failure);
	return 0;
}
