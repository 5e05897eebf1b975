#include "probe/probe.h"

#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

/* A tap device: what slirp4netns and its like need to carry a namespace's packets out. */
int probe_tun(struct attempt *attempt)
{
	struct ifreq request = {.ifr_name = "probe0", .ifr_flags = IFF_TAP | IFF_NO_PI};
	cleanup_fd int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return fail(&attempt->failure, errno, "open /dev/net/tun");
	if (ioctl(fd, TUNSETIFF, &request) != 0)
		return fail(&attempt->failure, errno, "make a tap device");
	return 0;
}
