#include "init/operations/operation.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The old root is put where the new one is and detached from there, so that no directory is needed
 * for it: "pivot_root(".", ".")" in pivot_root(2), notes.
 */
int operation_pivot(struct supervisor *supervisor, char **arguments, struct failure *failure)
{
	(void)supervisor;
	if (chdir(arguments[0]) != 0)
		return fail(failure, errno, "enter %s", arguments[0]);
	if (syscall(SYS_pivot_root, ".", ".") != 0)
		return fail(failure, errno, "make %s the root", arguments[0]);
	if (umount2(".", MNT_DETACH) != 0)
		return fail(failure, errno, "detach the old root");
	if (chdir("/") != 0)
		return fail(failure, errno, "enter the new root");
	return 0;
}
