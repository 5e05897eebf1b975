/* DNS: questions to the bridge address, passed on to the runner's own resolvers. */
#ifndef GATEWAY_DNS_RELAY_H
#define GATEWAY_DNS_RELAY_H

#include "gateway/gateway.h"
#include "gateway/tcp_relay.h"

#define DNS_PORT 53

struct dns_relay;

/**
 * Answers on the bridge address, UDP and TCP, by the options' upstreams. The failure says what
 * could not be opened. Returns NULL then.
 */
struct dns_relay *dns_relay_open(struct gateway *gateway, struct failure *failure);
void dns_relay_close(struct dns_relay *dns);

#endif
