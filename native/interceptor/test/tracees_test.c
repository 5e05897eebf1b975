/* The table against a plain array, through many additions and removals. */
#include "interceptor/tracees.h"

#include "lib/test/tap.h"

#include <stdint.h>

enum { IDS = 4000, ROUNDS = 200000 };

int main(void)
{
	struct tracees tracees = {0};
	static enum phase phases[IDS + 1];
	size_t known = 0;
	long wrong = 0;
	uint32_t random = 12345;

	check(tracees_find(&tracees, 1) == NULL, "an empty table knows nobody");
	tracees_drop(&tracees, 1);
	for (long i = 0; i < ROUNDS; i++) {
		pid_t id;
		struct tracee *tracee;

		random = random * 1664525U + 1013904223U;
		/* Many ids a multiple of the capacity apart, so that they collide. */
		id = (pid_t)((random >> 8) % IDS) + 1;
		tracee = tracees_find(&tracees, id);
		wrong += (tracee == NULL ? PHASE_OUTSIDE : tracee->phase) != phases[id];
		if ((random >> 29) < 3) {
			known -= tracee != NULL;
			tracees_drop(&tracees, id);
			phases[id] = PHASE_OUTSIDE;
		} else {
			known += tracee == NULL;
			tracee = tracees_add(&tracees, id);
			tracee->phase = phases[id] = PHASE_INSIDE;
		}
	}
	check_number(wrong, 0, "tracees in the wrong phase");
	check_number((long)tracees.count, (long)known, "the count");
	for (pid_t id = 1; id <= IDS; id++)
		tracees_drop(&tracees, id);
	check_number((long)tracees.count, 0, "all are dropped");
	tracees_free(&tracees);
	return tap_done();
}
