#include "probe/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <sys/socket.h>
#include <unistd.h>

/* Frames as they are: how the destination of a redirected datagram could be learned. */
int probe_packet_socket(struct attempt *attempt)
{
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));

	if (fd < 0)
		return fail(&attempt->failure, errno, "open a packet socket");
	close(fd);
	return 0;
}
