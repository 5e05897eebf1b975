/*
 * idmap: maps the ids of a user namespace that the caller's child is in, so that a runner that is
 * not root has every id inside. It does nothing else. README.md says who may call it and why.
 */
#include "idmap/capabilities.h"
#include "idmap/install.h"
#include "idmap/target.h"
#include "lib/die.h"
#include "lib/number.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define USAGE "usage: idmap PID | idmap install PATH"

static const char *why_not(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1
	           ? "no_new_privs takes them away, which allowPrivilegeEscalation: false sets"
	           : "run \"idmap install PATH\" as root, or setcap "
	             "cap_setuid,cap_setgid,cap_setfcap+ep PATH";
}

static void map(const char *text)
{
	struct caller caller = {.uid = getuid(), .pid = getppid()};
	struct target target;
	struct failure failure;
	unsigned long pid;

	if (number_parse(text, 10, INT_MAX, &pid) != 0 || pid == 0)
		die_usage("Bad process id \"%s\"\n%s", text, USAGE);
	if (!capabilities_are_here())
		die_usage("Failed to map ids: this program has no capabilities here; %s",
		          why_not());
	if (target_open((pid_t)pid, &target, &failure) != 0 ||
	    target_check(&target, &caller, &failure) != 0 || target_map(&target, &failure) != 0)
		die(&failure);
}

int main(int count, char **arguments)
{
	struct failure failure;

	if (count == 3 && strcmp(arguments[1], "install") == 0) {
		if (install(arguments[2], &failure) != 0)
			die(&failure);
	} else if (count == 2) {
		map(arguments[1]);
	} else {
		die_usage(USAGE);
	}
	return 0;
}
