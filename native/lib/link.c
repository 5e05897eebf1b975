#include "lib/link.h"

#include "lib/netlink.h"

#include <errno.h>
#include <linux/veth.h>
#include <stdio.h>
#include <string.h>

static void begin_link(struct netlink_message *message, uint16_t type, uint16_t flags, int index)
{
	struct ifinfomsg body = {.ifi_family = AF_UNSPEC, .ifi_index = index};

	netlink_begin(message, type, flags, &body, sizeof body);
}

/* The attribute's value as a number, 0 if it is too short to be one. */
static uint32_t attribute_number(struct rtattr *attribute)
{
	uint32_t value = 0;

	if (RTA_PAYLOAD(attribute) >= sizeof value)
		memcpy(&value, RTA_DATA(attribute), sizeof value);
	return value;
}

static void read_link(struct nlmsghdr *header, struct link *out)
{
	struct ifinfomsg *body = NLMSG_DATA(header);

	memset(out, 0, sizeof *out);
	out->index = body->ifi_index;
	out->up = (body->ifi_flags & IFF_UP) != 0;
	for (struct rtattr *attribute = NULL;
	     (attribute = netlink_attribute(header, sizeof *body, attribute)) != NULL;) {
		switch (attribute->rta_type) {
		case IFLA_IFNAME:
			snprintf(out->name, sizeof out->name, "%.*s", (int)RTA_PAYLOAD(attribute),
			         (const char *)RTA_DATA(attribute));
			break;
		case IFLA_ADDRESS:
			if (RTA_PAYLOAD(attribute) == sizeof out->address)
				memcpy(out->address, RTA_DATA(attribute), sizeof out->address);
			break;
		case IFLA_MTU:
			out->mtu = attribute_number(attribute);
			break;
		case IFLA_MASTER:
			out->master = (int)attribute_number(attribute);
			break;
		default:
			break;
		}
	}
}

static int take_link(struct nlmsghdr *header, void *data)
{
	if (header->nlmsg_type == RTM_NEWLINK)
		read_link(header, data);
	return 0;
}

int link_find(int fd, const char *name, struct link *out)
{
	struct netlink_message message;

	begin_link(&message, RTM_GETLINK, 0, 0);
	netlink_put_text(&message, IFLA_IFNAME, name);
	return netlink_get(fd, &message, take_link, out);
}

void link_address_text(const unsigned char *address, char out[static LINK_ADDRESS_TEXT_SIZE])
{
	snprintf(out, LINK_ADDRESS_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", address[0],
	         address[1], address[2], address[3], address[4], address[5]);
}

int link_add_bridge(int fd, const char *name)
{
	struct netlink_message message;
	struct rtattr *info;

	begin_link(&message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	netlink_put_text(&message, IFLA_IFNAME, name);
	info = netlink_nest(&message, IFLA_LINKINFO, NULL, 0);
	netlink_put_text(&message, IFLA_INFO_KIND, "bridge");
	netlink_nest_end(&message, info);
	return netlink_request(fd, &message);
}

static void put_end(struct netlink_message *message, const struct veth_end *end)
{
	netlink_put_text(message, IFLA_IFNAME, end->name);
	if (end->address != NULL)
		netlink_put(message, IFLA_ADDRESS, end->address, LINK_ADDRESS_SIZE);
	if (end->mtu != 0)
		netlink_put(message, IFLA_MTU, &end->mtu, sizeof end->mtu);
}

int link_add_veth(int fd, const struct veth_end *port, int bridge, const struct veth_end *peer,
                  int peer_namespace)
{
	struct ifinfomsg peer_body = {.ifi_family = AF_UNSPEC};
	struct netlink_message message;
	struct rtattr *info, *data, *nest;

	begin_link(&message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	put_end(&message, port);
	if (bridge != 0)
		netlink_put(&message, IFLA_MASTER, &bridge, sizeof bridge);
	info = netlink_nest(&message, IFLA_LINKINFO, NULL, 0);
	netlink_put_text(&message, IFLA_INFO_KIND, "veth");
	data = netlink_nest(&message, IFLA_INFO_DATA, NULL, 0);
	nest = netlink_nest(&message, VETH_INFO_PEER, &peer_body, sizeof peer_body);
	put_end(&message, peer);
	if (peer_namespace >= 0)
		netlink_put(&message, IFLA_NET_NS_FD, &peer_namespace, sizeof peer_namespace);
	netlink_nest_end(&message, nest);
	netlink_nest_end(&message, data);
	netlink_nest_end(&message, info);
	return netlink_request(fd, &message);
}

int link_set_up(int fd, int index)
{
	struct ifinfomsg body = {
	    .ifi_family = AF_UNSPEC,
	    .ifi_index = index,
	    .ifi_flags = IFF_UP,
	    .ifi_change = IFF_UP,
	};
	struct netlink_message message;

	netlink_begin(&message, RTM_NEWLINK, 0, &body, sizeof body);
	return netlink_request(fd, &message);
}

int link_set_mtu(int fd, int index, uint32_t mtu)
{
	struct ifinfomsg body = {.ifi_family = AF_UNSPEC, .ifi_index = index};
	struct netlink_message message;

	netlink_begin(&message, RTM_NEWLINK, 0, &body, sizeof body);
	netlink_put(&message, IFLA_MTU, &mtu, sizeof mtu);
	return netlink_request(fd, &message);
}

int link_delete(int fd, const char *name)
{
	struct netlink_message message;

	begin_link(&message, RTM_DELLINK, 0, 0);
	netlink_put_text(&message, IFLA_IFNAME, name);
	return netlink_request(fd, &message);
}

int link_add_address(int fd, int index, const struct cidr *cidr)
{
	struct ifaddrmsg body = {
	    .ifa_family = AF_INET,
	    .ifa_prefixlen = cidr->prefix,
	    .ifa_scope = RT_SCOPE_UNIVERSE,
	    .ifa_index = (unsigned int)index,
	};
	struct netlink_message message;

	netlink_begin(&message, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof body);
	netlink_put(&message, IFA_LOCAL, &cidr->address, sizeof cidr->address);
	netlink_put(&message, IFA_ADDRESS, &cidr->address, sizeof cidr->address);
	return netlink_request(fd, &message);
}

struct address_search {
	int index;
	const struct cidr *cidr;
	bool found;
};

static int match_address(struct nlmsghdr *header, void *data)
{
	struct address_search *search = data;
	struct ifaddrmsg *body = NLMSG_DATA(header);

	if (header->nlmsg_type != RTM_NEWADDR || body->ifa_prefixlen != search->cidr->prefix ||
	    (search->index != 0 && body->ifa_index != (unsigned int)search->index))
		return 0;
	for (struct rtattr *attribute = NULL;
	     (attribute = netlink_attribute(header, sizeof *body, attribute)) != NULL;)
		if (attribute->rta_type == IFA_LOCAL &&
		    attribute_number(attribute) == search->cidr->address.s_addr)
			search->found = true;
	return 0;
}

int link_has_address(int fd, int index, const struct cidr *cidr)
{
	struct address_search search = {.index = index, .cidr = cidr};
	struct ifaddrmsg body = {.ifa_family = AF_INET};
	struct netlink_message message;
	int error;

	netlink_begin(&message, RTM_GETADDR, 0, &body, sizeof body);
	error = netlink_dump(fd, &message, match_address, &search);
	if (error != 0)
		return error;
	return search.found ? 0 : -EADDRNOTAVAIL;
}

int link_add_default_route(int fd, int index, struct in_addr gateway)
{
	struct rtmsg body = {
	    .rtm_family = AF_INET,
	    .rtm_table = RT_TABLE_MAIN,
	    .rtm_protocol = RTPROT_BOOT,
	    .rtm_scope = RT_SCOPE_UNIVERSE,
	    .rtm_type = RTN_UNICAST,
	};
	struct netlink_message message;

	netlink_begin(&message, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof body);
	netlink_put(&message, RTA_GATEWAY, &gateway, sizeof gateway);
	netlink_put(&message, RTA_OIF, &index, sizeof index);
	return netlink_request(fd, &message);
}

struct route_search {
	int index;
	struct in_addr gateway;
	bool found;
};

static int match_default_route(struct nlmsghdr *header, void *data)
{
	struct route_search *search = data;
	struct rtmsg *body = NLMSG_DATA(header);
	uint32_t gateway = 0, index = 0;

	if (header->nlmsg_type != RTM_NEWROUTE || body->rtm_family != AF_INET ||
	    body->rtm_dst_len != 0)
		return 0;
	for (struct rtattr *attribute = NULL;
	     (attribute = netlink_attribute(header, sizeof *body, attribute)) != NULL;) {
		if (attribute->rta_type == RTA_GATEWAY)
			gateway = attribute_number(attribute);
		if (attribute->rta_type == RTA_OIF)
			index = attribute_number(attribute);
	}
	if (gateway == search->gateway.s_addr && index == (uint32_t)search->index)
		search->found = true;
	return 0;
}

int link_has_default_route(int fd, int index, struct in_addr gateway)
{
	struct route_search search = {.index = index, .gateway = gateway};
	struct rtmsg body = {.rtm_family = AF_INET};
	struct netlink_message message;
	int error;

	netlink_begin(&message, RTM_GETROUTE, 0, &body, sizeof body);
	error = netlink_dump(fd, &message, match_default_route, &search);
	if (error != 0)
		return error;
	return search.found ? 0 : -ENETUNREACH;
}
