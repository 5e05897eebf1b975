/*
 * Network links, their addresses and routes, over rtnetlink. `fd` is from netlink_open(); every
 * function returns -errno when it fails.
 *
 * gVisor (pkg/sentry/socket/netstack/stack.go, SetInterface and newVeth) refuses attributes it
 * does not know and moves links by IFLA_NET_NS_FD only, so nothing else is used here.
 */
#ifndef LIB_LINK_H
#define LIB_LINK_H

#include "lib/cidr.h"

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#define LINK_ADDRESS_SIZE 6
/** Room for "aa:bb:cc:dd:ee:ff" and its NUL. */
#define LINK_ADDRESS_TEXT_SIZE 18

struct link {
	int index;
	int master; /**< index of the bridge it is a port of; 0: none */
	uint32_t mtu;
	bool up;
	char name[IF_NAMESIZE];
	unsigned char address[LINK_ADDRESS_SIZE];
};

/** Finds the link by its name; -ENODEV when there is none. */
int link_find(int fd, const char *name, struct link *out);

/** Writes the hardware address as "aa:bb:cc:dd:ee:ff". */
void link_address_text(const unsigned char *address, char out[static LINK_ADDRESS_TEXT_SIZE]);

/** Creates a bridge; -EEXIST when a link of the name exists. */
int link_add_bridge(int fd, const char *name);

/** One end of a veth pair. */
struct veth_end {
	const char *name;
	const unsigned char *address; /**< NULL: the kernel makes one */
	uint32_t mtu;                 /**< 0: the kernel's default */
};

/** Creates a veth pair: `port` here, as a port of the bridge (0: of none), and `peer` in the namespace; -1: here. */
int link_add_veth(int fd, const struct veth_end *port, int bridge, const struct veth_end *peer,
                  int peer_namespace);

int link_set_up(int fd, int index);

/** Bytes of a packet, without the link's header. */
int link_set_mtu(int fd, int index, uint32_t mtu);

/** Removes the link (and, of a veth, its peer); -ENODEV when there is none of the name. */
int link_delete(int fd, const char *name);

/** Adds the address with the subnet route it brings; -EEXIST when it is there already. */
int link_add_address(int fd, int index, const struct cidr *cidr);

/** 0 when the link (0: any link) has the address and prefix, -EADDRNOTAVAIL when not. */
int link_has_address(int fd, int index, const struct cidr *cidr);

/**
 * Adds the default route. The device is part of it: gVisor accepts a route without one and then
 * reaches nothing through it.
 */
int link_add_default_route(int fd, int index, struct in_addr gateway);

/** 0 when the default route is there, -ENETUNREACH when not. */
int link_has_default_route(int fd, int index, struct in_addr gateway);

#endif
