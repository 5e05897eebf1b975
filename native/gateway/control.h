/* The control socket: lines of command.h in, a line of answer to each out, in order. */
#ifndef GATEWAY_CONTROL_H
#define GATEWAY_CONTROL_H

#include "gateway/gateway.h"

struct control;

/**
 * Listens on a unix socket at the path, in place of one that an earlier gateway left there.
 * Returns NULL with the failure noted.
 */
struct control *control_open(struct gateway *gateway, const char *path, struct failure *failure);

/** Tells who watches what of a pod's policies is not in force. No-op without a control socket. */
void control_tell(struct control *control, const char *pod, enum trouble trouble);

/** Stops listening and removes the socket. */
void control_close(struct control *control);

#endif
