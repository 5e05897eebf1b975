/*
 * The node's gateway: everything that leaves the pods' bridge, and everything that comes in from
 * the runner, is relayed by it. See docs/architecture.md.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "gateway/control.h"
#include "gateway/dns_relay.h"
#include "gateway/echo.h"
#include "gateway/gateway.h"
#include "gateway/log.h"
#include "gateway/node_addresses.h"
#include "gateway/nodes.h"
#include "gateway/options.h"
#include "gateway/pods.h"
#include "gateway/privileges.h"
#include "gateway/publish.h"
#include "gateway/redirection.h"
#include "gateway/service.h"
#include "gateway/tcp_relay.h"
#include "gateway/udp_outside.h"
#include "gateway/udp_relay.h"
#include "gateway/uplink.h"
#include "lib/die.h"
#include "lib/number.h"
#include "lib/uplink.h"

/* Descriptors that are neither TCP connections nor UDP flows: listeners, clients, resolvers. */
#define DESCRIPTORS_RESERVED 1024
#define UDP_FLOWS_MAX 16384
#define TCP_CONNECTIONS_MAX 65536

struct parts {
	struct gateway gateway;
	struct node_addresses addresses;
	struct redirection redirection;
	struct published_ports published;
	struct source signals;
	struct echo *echo;
	struct dns_relay *dns;
	size_t outside_flows;
	struct control *control;
	struct nodes nodes;
};

static void signals_ready(struct source *source, uint32_t events)
{
	struct parts *parts = list_object(source, struct parts, signals);

	(void)events;
	loop_stop(&parts->gateway.loop);
}

static int watch_signals(struct parts *parts)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	source_init(&parts->signals, signals_ready);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : loop_watch(&parts->gateway.loop, &parts->signals, fd, EPOLLIN);
}

/* As many descriptors as the hard limit allows; returns how many those are. */
static size_t raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		die_errno("read the limit of file descriptors");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		die_errno("raise the limit of file descriptors to %ju", (uintmax_t)limit.rlim_max);
	return limit.rlim_cur == RLIM_INFINITY ? SIZE_MAX : (size_t)limit.rlim_cur;
}

/* Splits the descriptors between UDP flows, to Services and outside, of one each, and TCP
 * connections, of two. */
static int init_relays(struct parts *parts, size_t descriptors)
{
	size_t free = descriptors > 2 * DESCRIPTORS_RESERVED ? descriptors - DESCRIPTORS_RESERVED
	                                                     : descriptors / 2;
	size_t flows = free / 8 < UDP_FLOWS_MAX ? free / 8 : UDP_FLOWS_MAX;
	size_t connections = (free - 2 * flows) / 2;
	int status = udp_relay_init(&parts->gateway, flows);

	parts->outside_flows = flows;
	return status < 0 ? status : tcp_relay_init(&parts->gateway, connections < TCP_CONNECTIONS_MAX
	                                                           ? connections
	                                                           : TCP_CONNECTIONS_MAX);
}

static void open_all(struct parts *parts)
{
	struct gateway *gateway = &parts->gateway;
	struct failure failure;

	if (node_addresses_open(&parts->addresses, gateway->options.bridge_address, &failure) < 0)
		die(&failure);
	gateway->addresses = &parts->addresses;
	if (pods_open(gateway, &failure) < 0)
		die(&failure);
	gateway->outside = udp_outside_open(gateway, parts->outside_flows, &failure);
	if (gateway->outside == NULL || publish_open(gateway, &parts->published, &failure) < 0)
		die(&failure);
	parts->echo = echo_open(gateway, &failure);
	if (parts->echo == NULL)
		die(&failure);
	parts->dns = dns_relay_open(gateway, &failure);
	if (parts->dns == NULL || redirection_open(gateway, &parts->redirection, &failure) < 0)
		die(&failure);
	parts->control = control_open(gateway, gateway->options.control, &failure);
	if (parts->control == NULL)
		die(&failure);
	gateway->control = parts->control;
	nodes_open(gateway, &parts->nodes);
}

static void close_all(struct parts *parts)
{
	struct gateway *gateway = &parts->gateway;

	nodes_close(&parts->nodes);
	redirection_close(&parts->redirection);
	control_close(parts->control);
	gateway->control = NULL;
	table_begin(&gateway->table);
	for (struct frontend *frontend; (frontend = table_stale(&gateway->table)) != NULL;) {
		service_close(gateway, frontend);
		table_remove(&gateway->table, frontend);
	}
	map_free(&gateway->table.by_key);
	pods_end(&gateway->pods);
	publish_close(&parts->published);
	dns_relay_close(parts->dns);
	echo_close(parts->echo);
	udp_outside_close(gateway->outside);
	tcp_relay_end(gateway);
	udp_relay_end(gateway);
	node_addresses_close(&parts->addresses);
	uplink_close(gateway->uplink);
	loop_end(&gateway->loop);
}

/* Tells whoever started the gateway, if they asked, that everything listens. */
static void report_ready(void)
{
	const char *text = getenv("READY_FD");
	unsigned long fd;

	if (text == NULL)
		return;
	if (number_parse(text, 10, INT_MAX, &fd) != 0)
		die_usage("Bad READY_FD '%s': must be a file descriptor", text);
	if (write((int)fd, "\n", 1) != 1)
		die_errno("report that the gateway is ready");
	close((int)fd);
}

int main(int argc, char **argv)
{
	static struct parts parts;
	struct gateway *gateway = &parts.gateway;
	struct failure failure;

	if (options_parse(argc, (const char *const *)argv, &gateway->options, &failure) < 0)
		die_usage("%s", failure.message);
	/* Not an argument, which every process may read. */
	gateway->options.proxy_authorization = getenv("PROXY_AUTHORIZATION");
	signal(SIGPIPE, SIG_IGN);
	table_init(&gateway->table);
	int status = pods_init(&gateway->pods);
	if (status == 0)
		status = loop_init(&gateway->loop);
	if (status == 0)
		status = watch_signals(&parts);
	if (status == 0)
		status = init_relays(&parts, raise_descriptor_limit());
	if (status < 0) {
		errno = -status;
		die_errno("set up the event loop");
	}
	gateway->uplink = uplink_open(&gateway->loop, UPLINK_FD);
	if (gateway->uplink == NULL)
		die_errno("watch the uplink");
	open_all(&parts);
	if (privileges_drop(&failure) < 0)
		die(&failure);
	report_ready();
	log_line("Ready");
	status = loop_run(&gateway->loop);
	if (status < 0) {
		errno = -status;
		die_errno("wait for events");
	}
	close_all(&parts);
	return 0;
}
