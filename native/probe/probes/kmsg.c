#include "probe/probe.h"

#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>

/* "failed to create kubelet: open /dev/kmsg: no such file or directory" */
int probe_kmsg(struct attempt *attempt)
{
	cleanup_fd int fd = open("/dev/kmsg", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail(&attempt->failure, errno, "open /dev/kmsg");
	return 0;
}
