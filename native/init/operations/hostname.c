#include "init/operations/operation.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int operation_hostname(struct supervisor *supervisor, char **arguments, struct failure *failure)
{
	(void)supervisor;
	if (sethostname(arguments[0], strlen(arguments[0])) != 0)
		return fail(failure, errno, "set the host name to %s", arguments[0]);
	return 0;
}
