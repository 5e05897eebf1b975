#include "init/operations/operation.h"

#include "lib/number.h"

#include <errno.h>
#include <limits.h>
#include <sys/resource.h>

/* The limit of every process that is started after, as near to what is asked for as may be. */
int operation_open_files(struct supervisor *supervisor, char **arguments, struct failure *failure)
{
	unsigned long asked;
	struct rlimit limit;

	(void)supervisor;
	if (number_parse(arguments[0], 10, INT_MAX, &asked) != 0)
		return fail_input(failure, "Bad limit \"%s\": expected a number", arguments[0]);
	limit = (struct rlimit){.rlim_cur = asked, .rlim_max = asked};
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return 0;
	/* More than the runner has is not ours to give. */
	if (errno == EPERM && getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
			return 0;
	}
	return fail(failure, errno, "limit open files to %lu", asked);
}
