#include "init/operations/operation.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>

struct flag {
	const char *name;
	unsigned long value;
};

static const struct flag mount_flags[] = {
    {"ro", MS_RDONLY},       {"nosuid", MS_NOSUID},         {"nodev", MS_NODEV},
    {"noexec", MS_NOEXEC},   {"noatime", MS_NOATIME},       {"relatime", MS_RELATIME},
    {"remount", MS_REMOUNT}, {"nodiratime", MS_NODIRATIME}, {NULL, 0},
};

static const struct flag bind_flags[] = {
    {"recursive", MS_REC},
    {"read-only", MS_RDONLY},
    {NULL, 0},
};

static const struct flag propagations[] = {
    {"shared", MS_SHARED},
    {"private", MS_PRIVATE},
    {"slave", MS_SLAVE},
    {NULL, 0},
};

static unsigned long find_flag(const struct flag *table, const char *name)
{
	for (; table->name != NULL; table++)
		if (strcmp(table->name, name) == 0)
			return table->value;
	return 0;
}

/* Reads a comma list, or "-" for none. */
static int parse_flags(char *list, const struct flag *table, unsigned long *out,
                       struct failure *failure)
{
	char *rest = NULL;

	*out = 0;
	if (strcmp(list, "-") == 0)
		return 0;
	for (char *name = strtok_r(list, ",", &rest); name != NULL;
	     name = strtok_r(NULL, ",", &rest)) {
		unsigned long flag = find_flag(table, name);

		if (flag == 0)
			return fail_input(failure, "Unknown flag \"%s\"", name);
		*out |= flag;
	}
	return 0;
}

int operation_mount(struct supervisor *supervisor, char **arguments, struct failure *failure)
{
	const char *source = arguments[0], *target = arguments[1], *type = arguments[2];
	const char *data = strcmp(arguments[4], "-") == 0 ? NULL : arguments[4];
	unsigned long flags;
	int error;

	(void)supervisor;
	error = parse_flags(arguments[3], mount_flags, &flags, failure);
	if (error != 0)
		return error;
	if (mount(source, target, type, flags, data) != 0)
		return fail(failure, errno, "mount %s on %s", type, target);
	return 0;
}

int operation_bind(struct supervisor *supervisor, char **arguments, struct failure *failure)
{
	const char *source = arguments[0], *target = arguments[1];
	unsigned long flags;
	int error;

	(void)supervisor;
	error = parse_flags(arguments[2], bind_flags, &flags, failure);
	if (error != 0)
		return error;
	if (mount(source, target, NULL, MS_BIND | (flags & MS_REC), NULL) != 0)
		return fail(failure, errno, "bind %s on %s", source, target);
	/* A bind mount takes its flags from its source; read-only needs a second call (mount(2)).
	 */
	if ((flags & MS_RDONLY) != 0 &&
	    mount(NULL, target, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) != 0)
		return fail(failure, errno, "make %s read-only", target);
	return 0;
}

static int set_propagation(char **arguments, unsigned long reach, struct failure *failure)
{
	unsigned long flag = find_flag(propagations, arguments[1]);

	if (flag == 0)
		return fail_input(failure,
		                  "Unknown propagation \"%s\": expected shared, private or slave",
		                  arguments[1]);
	if (mount(NULL, arguments[0], NULL, reach | flag, NULL) != 0)
		return fail(failure, errno, "make %s %s", arguments[0], arguments[1]);
	return 0;
}

int operation_propagation(struct supervisor *supervisor, char **arguments, struct failure *failure)
{
	(void)supervisor;
	return set_propagation(arguments, MS_REC, failure);
}

int operation_propagation_here(struct supervisor *supervisor, char **arguments,
                               struct failure *failure)
{
	(void)supervisor;
	return set_propagation(arguments, 0, failure);
}

int operation_unmount(struct supervisor *supervisor, char **arguments, struct failure *failure)
{
	(void)supervisor;
	if (umount2(arguments[0], MNT_DETACH) != 0)
		return fail(failure, errno, "unmount %s", arguments[0]);
	return 0;
}
