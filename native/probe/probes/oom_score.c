#include "probe/probe.h"

#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/*
 * Asking to be spared when memory runs out, which takes CAP_SYS_RESOURCE outside of every user
 * namespace. The kubelet asks it for every pod's first process; where runc may not: "can't get
 * final child's PID from pipe: EOF".
 */
int probe_oom_score(struct attempt *attempt)
{
	static const char kubelets[] = "-998";
	cleanup_fd int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return fail(&attempt->failure, errno, "open /proc/self/oom_score_adj");
	if (write(fd, kubelets, sizeof kubelets - 1) < 0)
		return fail(&attempt->failure, errno, "lower /proc/self/oom_score_adj");
	return 0;
}
