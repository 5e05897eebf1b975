#include "cni/pod.h"

#include "lib/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed(struct cni_error *error, int result, const char *verb, const char *object)
{
	error->code = CNI_NETWORK;
	return fail(&error->failure, -result, "%s %s", verb, object);
}

struct pod pod_of(const struct config *config, struct in_addr address, const char *interface,
                  const char *netns)
{
	uint32_t number = ntohl(address.s_addr);
	struct pod pod = {
	    .interface = interface,
	    .netns = netns,
	    .address = {address, config->prefix},
	    .gateway = config->gateway,
	    /* 0a: locally administered, unicast; 58: what CNI plugins have long used. */
	    .mac = {0x0a, 0x58},
	};

	memcpy(pod.mac + 2, &address, sizeof address);
	snprintf(pod.port, sizeof pod.port, "veth%08x", number);
	return pod;
}

int pod_open_netns(const char *path, struct cni_error *error)
{
	struct stat own, given;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	/* What a plugin of the specification must refuse: the links there are not a pod's. */
	if (fd >= 0 && fstat(fd, &given) == 0 && stat("/proc/self/ns/net", &own) == 0 &&
	    given.st_dev == own.st_dev && given.st_ino == own.st_ino) {
		close(fd);
		error->code = CNI_INVALID_ENVIRONMENT;
		return fail_input(&error->failure, "Bad CNI_NETNS %s: it is the node's own", path);
	}
	if (fd >= 0)
		return fd;
	error->code = errno == ENOENT ? CNI_UNKNOWN_CONTAINER : CNI_IO;
	return fail(&error->failure, errno, "open network namespace %s", path);
}

int pod_enter(int netns, const char *path, struct cni_error *error)
{
	int fd;

	if (setns(netns, CLONE_NEWNET) != 0)
		return failed(error, -errno, "enter network namespace", path);
	fd = netlink_open();
	return fd < 0 ? failed(error, fd, "open a netlink socket in", path) : fd;
}

int pod_connect(int node, const struct link *bridge, struct pod *pod, int netns,
                struct cni_error *error)
{
	const struct veth_end port = {.name = pod->port, .mtu = bridge->mtu};
	const struct veth_end peer = {
	    .name = pod->interface,
	    .address = pod->mac,
	    .mtu = bridge->mtu,
	};
	struct link link;
	int result = link_add_veth(node, &port, bridge->index, &peer, netns);

	if (result != 0)
		return failed(error, result, "make link", pod->port);
	result = link_find(node, pod->port, &link);
	if (result == 0)
		result = link_set_up(node, link.index);
	if (result != 0)
		return failed(error, result, "bring up", pod->port);
	memcpy(pod->port_mac, link.address, sizeof pod->port_mac);
	return 0;
}

int pod_bring_up_loopback(int inside, struct cni_error *error)
{
	const struct cidr address = {.address = {htonl(INADDR_LOOPBACK)}, .prefix = 8};
	struct link link;
	int result = link_find(inside, "lo", &link);

	if (result == 0)
		result = link_set_up(inside, link.index);
	/* Linux adds the address by itself. */
	if (result == 0)
		result = link_add_address(inside, link.index, &address);
	if (result == -EEXIST)
		result = 0;
	return result != 0 ? failed(error, result, "bring up", "lo") : 0;
}

int pod_configure(int inside, const struct pod *pod, struct cni_error *error)
{
	struct link link;
	int result = link_find(inside, pod->interface, &link);

	if (result != 0)
		return failed(error, result, "find", pod->interface);
	result = link_add_address(inside, link.index, &pod->address);
	if (result != 0)
		return failed(error, result, "give the pod's address to", pod->interface);
	result = link_set_up(inside, link.index);
	if (result != 0)
		return failed(error, result, "bring up", pod->interface);
	result = link_add_default_route(inside, link.index, pod->gateway);
	if (result != 0)
		return failed(error, result, "add the default route on", pod->interface);
	return pod_bring_up_loopback(inside, error);
}

int pod_disconnect(int node, const struct pod *pod, struct cni_error *error)
{
	int result = link_delete(node, pod->port);

	return result == 0 || result == -ENODEV ? 0
	                                        : failed(error, result, "remove link", pod->port);
}

static int wrong(struct cni_error *error, int result, const char *verb, const char *object)
{
	failed(error, result, verb, object);
	error->code = CNI_CHECK;
	return result;
}

int pod_check_port(int node, const struct link *bridge, const struct pod *pod,
                   struct cni_error *error)
{
	struct link link;
	int result = link_find(node, pod->port, &link);

	if (result != 0)
		return wrong(error, result, "find link", pod->port);
	if (link.master != bridge->index || !link.up)
		return wrong(error, -ENOTCONN, "find on the bridge and up", pod->port);
	return 0;
}

int pod_check_inside(int inside, const struct pod *pod, struct cni_error *error)
{
	struct link link;
	int result = link_find(inside, pod->interface, &link);

	if (result != 0)
		return wrong(error, result, "find in the pod", pod->interface);
	if (memcmp(link.address, pod->mac, sizeof pod->mac) != 0 || !link.up)
		return wrong(error, -ENOTCONN, "find up with its hardware address", pod->interface);
	result = link_has_address(inside, link.index, &pod->address);
	if (result != 0)
		return wrong(error, result, "find the pod's address on", pod->interface);
	result = link_has_default_route(inside, link.index, pod->gateway);
	return result != 0 ? wrong(error, result, "find the default route on", pod->interface) : 0;
}
