/* One pod's link: its names and addresses, and the work on both its ends. */
#ifndef CNI_POD_H
#define CNI_POD_H

#include "cni/config.h"
#include "cni/error.h"
#include "lib/link.h"

#include <net/if.h>

struct pod {
	const char *interface; /**< the link's name in the pod */
	const char *netns;     /**< path of the pod's network namespace */
	struct cidr address;
	struct in_addr gateway;
	char port[IF_NAMESIZE]; /**< the link's other end, on the bridge */
	unsigned char mac[LINK_ADDRESS_SIZE];
	unsigned char port_mac[LINK_ADDRESS_SIZE]; /**< known after pod_connect */
};

/**
 * The pod of the address. Its port's name and its hardware address follow from the address alone:
 * so the port is found again whatever happened in between, and a neighbour that remembers an
 * earlier pod of the address is not wrong.
 */
struct pod pod_of(const struct config *config, struct in_addr address, const char *interface,
                  const char *netns);

/** Opens the pod's network namespace; a descriptor, or -errno with the error filled in. */
int pod_open_netns(const char *path, struct cni_error *error);

/** Enters the namespace and opens a netlink socket there; the same. */
int pod_enter(int netns, const char *path, struct cni_error *error);

/** Makes the link from the bridge into the namespace; 0 or -errno, the same. */
int pod_connect(int node, const struct link *bridge, struct pod *pod, int netns,
                struct cni_error *error);

/** Gives the pod's end its address and default route, and brings it and lo up. */
int pod_configure(int inside, const struct pod *pod, struct cni_error *error);

/** Removes the link; 0 also when there is none. */
int pod_disconnect(int node, const struct pod *pod, struct cni_error *error);

/** Compares both ends with what pod_connect and pod_configure make. */
int pod_check_port(int node, const struct link *bridge, const struct pod *pod,
                   struct cni_error *error);
int pod_check_inside(int inside, const struct pod *pod, struct cni_error *error);

/** Brings lo up with 127.0.0.1/8. */
int pod_bring_up_loopback(int inside, struct cni_error *error);

#endif
