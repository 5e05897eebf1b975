#include "probe/probe.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* More than the 200 that gVisor keeps for a user namespace; Linux drops those that nobody has. */
enum { CONTAINERS = 300 };

/*
 * "unable to join session keyring: unable to create session key: disk quota exceeded"
 *
 * As many session keyrings, one after the other, as a busy node starts containers. In a user
 * namespace of its own: what gVisor keeps is gone with it.
 */
int probe_session_keyring(struct attempt *attempt)
{
	for (int i = 1; i <= CONTAINERS; i++)
		if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0)
			return fail(&attempt->failure, errno, "make session keyring %d", i);
	return 0;
}
