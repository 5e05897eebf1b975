/* The runner's side of the uplinks (lib/uplink.h). */
#ifndef INIT_UPLINK_H
#define INIT_UPLINK_H

/** Answers one request on the socket; 0, or -errno when nobody will ask there any more. */
int uplink_serve(int socket);

#endif
