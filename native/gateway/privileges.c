#include "gateway/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Links and rules; raw packets; ports such as 53; pods' network namespaces; the socket, journal and
 * log, which may lie in a directory of another user's. */
#define KEPT                                                                                    \
	(1ULL << CAP_NET_ADMIN | 1ULL << CAP_NET_RAW | 1ULL << CAP_NET_BIND_SERVICE |          \
	 1ULL << CAP_SYS_ADMIN | 1ULL << CAP_DAC_OVERRIDE)

#define WORDS _LINUX_CAPABILITY_U32S_3

int privileges_drop(struct failure *failure)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[WORDS];

	if (syscall(SYS_capget, &header, sets) < 0)
		return fail(failure, errno, "read the capabilities");
	/* What an executed program would be given anew; there is none after this. */
	for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
		if ((KEPT >> capability & 1) == 0 &&
		    prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0 && errno != EPERM)
			return fail(failure, errno, "take capability %d from the bounding set",
			            capability);
	for (int i = 0; i < WORDS; i++) {
		sets[i].permitted &= (uint32_t)(KEPT >> 32 * i);
		sets[i].effective = sets[i].permitted;
		sets[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, sets) < 0)
		return fail(failure, errno, "give up capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return fail(failure, errno, "keep others from looking into the gateway");
	return 0;
}
