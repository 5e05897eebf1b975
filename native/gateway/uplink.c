#include "gateway/uplink.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/descriptor.h"
#include "lib/uplink.h"

int uplink_socket(int uplink, int type)
{
	const struct uplink_request request = {.family = 4, .type = (uint8_t)type};
	struct uplink_reply reply;
	int fd;
	int status = descriptor_send(uplink, &request, sizeof(request), -1);

	if (status == 0)
		status = descriptor_receive(uplink, &reply, sizeof(reply), &fd);
	if (status < 0)
		return status;
	if (reply.error != 0 || fd < 0)
		return reply.error != 0 ? -reply.error : -EPROTO;
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
		status = -errno;
		close(fd);
		return status;
	}
	return fd;
}
