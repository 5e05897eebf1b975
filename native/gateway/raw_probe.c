#include "gateway/raw_probe.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/link.h"
#include "lib/netlink.h"

/* Milliseconds the datagram has to get from one end of a veth pair to the other. */
#define PATIENCE 200

/* Of RFC 5737, for examples. */
#define HERE "192.0.2.1/24"
#define ROUTER "192.0.2.2/32"
#define ELSEWHERE "198.51.100.1"

static bool address_on(int netlink, const char *name, const char *text)
{
	struct link link;
	struct cidr cidr;

	return cidr_parse(text, &cidr) == 0 && link_find(netlink, name, &link) == 0 &&
	       link_set_up(netlink, link.index) == 0 &&
	       link_add_address(netlink, link.index, &cidr) == 0;
}

/* Two ends of a veth pair, of which one is the other's router. */
static bool connect_links(void)
{
	const struct veth_end here = {.name = "probe0"}, router = {.name = "probe1"};
	struct link link;
	struct cidr gateway;
	int netlink = netlink_open();

	return netlink >= 0 && link_add_veth(netlink, &here, 0, &router, -1) == 0 &&
	       address_on(netlink, here.name, HERE) && address_on(netlink, router.name, ROUTER) &&
	       cidr_parse(ROUTER, &gateway) == 0 && link_find(netlink, here.name, &link) == 0 &&
	       link_add_default_route(netlink, link.index, gateway.address) == 0;
}

static bool is_shown(void)
{
	struct sockaddr_in elsewhere = {.sin_family = AF_INET, .sin_port = htons(9)};
	int raw = socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
	int sender = socket(AF_INET, SOCK_DGRAM, 0);
	struct pollfd fd = {.fd = raw, .events = POLLIN};

	inet_pton(AF_INET, ELSEWHERE, &elsewhere.sin_addr);
	return raw >= 0 && sender >= 0 &&
	       setsockopt(raw, SOL_SOCKET, SO_BINDTODEVICE, "probe1", sizeof("probe1")) == 0 &&
	       sendto(sender, "", 1, 0, (const struct sockaddr *)&elsewhere,
	              sizeof(elsewhere)) == 1 &&
	       poll(&fd, 1, PATIENCE) == 1;
}

bool raw_probe(void)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0)
		_exit(unshare(CLONE_NEWNET) == 0 && connect_links() && is_shown() ? 0 : 1);
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}
