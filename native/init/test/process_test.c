#include "init/process.h"

#include "lib/test/tap.h"

#include <errno.h>

static void restart_delays(void)
{
	static const struct {
		int previous;
		int64_t ran_for;
		int delay;
	} table[] = {
	    {0, 0, 100},       {100, 0, 200},        {200, 9999, 400},    {6400, 0, 10000},
	    {10000, 0, 10000}, {10000, 9999, 10000}, {10000, 10000, 100}, {400, 3600000, 100},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		check(process_restart_delay(table[i].previous, table[i].ran_for) == table[i].delay,
		      "after %d ms and %lld ms of running: %d ms", table[i].previous,
		      (long long)table[i].ran_for, table[i].delay);
}

static void policies(void)
{
	enum policy policy;

	check(process_parse_policy("essential", &policy) == 0 && policy == POLICY_ESSENTIAL,
	      "essential");
	check(process_parse_policy("restart", &policy) == 0 && policy == POLICY_RESTART, "restart");
	check(process_parse_policy("helper", &policy) == 0 && policy == POLICY_HELPER, "helper");
	check_number(process_parse_policy("Helper", &policy), -EINVAL, "no other");
}

int main(void)
{
	restart_delays();
	policies();
	return tap_done();
}
