/* Attempts happen in children that may fail, hang or die, and take what they made with them. */
#ifndef PROBE_SACRIFICE_H
#define PROBE_SACRIFICE_H

#include "lib/strings.h"
#include "probe/probe.h"

enum result {
	RESULT_YES,
	RESULT_NO,
	RESULT_CRASHED, /**< the attempt itself went wrong: it answers nothing */
};

struct answer {
	enum result result;
	char evidence[512];
};

/** How long an attempt may take before it counts as crashed. */
#define ATTEMPT_TIMEOUT_MS 3000

/** What attempts may use. */
struct means {
	const char *scratch;   /**< a directory on the runner's disk, empty, ours */
	struct strings mapper; /**< for PLACE_USER_MAPPED; empty if there is none */
};

/** Makes the attempt at the place (not PLACE_BEST) in a child of its own. */
void sacrifice(probe_function *attempt, enum place place, const struct means *means,
               const char *sysctl, struct answer *answer);

#endif
