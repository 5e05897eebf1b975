/*
 * The TCP relay among peers that do anything, in any order, in a kernel of its own (kernel.h): what
 * one peer said arrives at the other, byte by byte, or both see that it did not; nothing is held that
 * has no use any more; and nothing is touched that was closed.
 */
#include "gateway/gateway.h"
#include "gateway/tcp_relay.h"
#include "gateway/test/kernel.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

#define CLIENTS 24
#define POD 0x0a2a0100
#define ENDPOINT 0x0a2a0200
#define SERVICE 0x0a2b0000
#define OUTSIDE 0x08080800
#define ENDPOINTS 3
#define STEPS 2048

static struct gateway gateway;

static struct {
	struct stream *client;
	bool outside;
	bool rudely; /* a peer reset, or its pod went, before both had said all */
	size_t client_said, server_said;
} table[CLIENTS];
static size_t count;

static void require(bool holds)
{
	if (!holds)
		abort();
}

static unsigned char byte_of(size_t index, bool server, size_t offset)
{
	return (unsigned char)((index * 37 + offset * 11 + offset / 251) ^ (server ? 0x55 : 0));
}

static uint32_t endpoint_of(size_t index, size_t i)
{
	return ENDPOINT + (uint32_t)(index * ENDPOINTS + i);
}

/* The one that was tried last, if it answers. */
static struct stream *server_of(size_t index)
{
	struct stream *newest = NULL;

	if (table[index].outside)
		newest = kernel_connected(OUTSIDE + (uint32_t)index);
	for (size_t i = 0; !table[index].outside && i < ENDPOINTS; i++) {
		struct stream *stream = kernel_connected(endpoint_of(index, i));
		if (stream > newest)
			newest = stream;
	}
	return newest == NULL || newest->refused || newest->connecting ? NULL : newest;
}

static void say(struct stream *stream, size_t index, bool server, size_t size)
{
	static unsigned char bytes[70000];
	size_t *said = server ? &table[index].server_said : &table[index].client_said;

	if (stream->in_fin || stream->reset || stream->got_reset)
		return;
	/* Its connection is over, and so is what it could say. */
	if (stream->closed && stream->got_fin)
		return;
	for (size_t i = 0; i < size; i++)
		bytes[i] = byte_of(index, server, *said + i);
	peer_send(stream, bytes, size);
	*said += size;
}

static void connect_client(unsigned how)
{
	size_t index = count;
	struct endpoint endpoints[ENDPOINTS];
	const struct frontend_key key = {PROTOCOL_TCP, {SERVICE + (uint32_t)index, 80}};

	if (count == CLIENTS)
		return;
	table[index].outside = how & 1;
	kernel_answer(OUTSIDE + (uint32_t)index, (enum answer)(how >> 1) % 3);
	for (size_t i = 0; i < ENDPOINTS; i++) {
		endpoints[i] = (struct endpoint){endpoint_of(index, i), 8080};
		kernel_answer(endpoints[i].address, (enum answer)(how >> (1 + 2 * i)) % 3);
	}
	table_set(&gateway.table, key, 0, endpoints, ENDPOINTS);
	table[index].client = kernel_connect(
	    15999, (struct endpoint){POD + (uint32_t)index, 40000},
	    (struct endpoint){(table[index].outside ? OUTSIDE : SERVICE) + (uint32_t)index, 80});
	require(table[index].client != NULL);
	count++;
}

static void act(unsigned what, size_t index, unsigned how)
{
	struct stream *client = table[index].client;
	struct stream *server = server_of(index);
	struct stream *one = what & 1 || server == NULL ? client : server;
	bool is_server = one == server;

	switch (what >> 1 & 7) {
	case 0:
	case 1:
		say(one, index, is_server, 1 + how * 270);
		break;
	case 2:
		peer_take(one, 1 + how * 1000);
		break;
	case 3:
		if (!one->reset)
			peer_fin(one);
		break;
	case 4:
		table[index].rudely = true;
		peer_reset(one);
		break;
	case 5:
		table[index].rudely = true;
		tcp_relay_forget(&gateway, what & 1 || table[index].outside
		                               ? POD + (uint32_t)index
		                               : endpoint_of(index, how % ENDPOINTS));
		break;
	case 6:
		kernel_short_writes = how & 1;
		peer_window(one, 64 + how * 1024);
		break;
	default:
		kernel_run(&gateway.loop, how * how);
		break;
	}
}

static void check_bytes(const struct stream *to, size_t index, bool from_server, size_t said)
{
	require(to->got_size <= said);
	for (size_t i = 0; i < to->got_size; i++)
		require(to->got[i] == byte_of(index, from_server, i));
	/* An end that looks orderly comes after everything only. */
	if (to->got_fin && !to->got_reset)
		require(to->got_size == said);
}

/* Everybody says goodbye, and takes what has come. */
static void part(size_t index)
{
	struct stream *server = server_of(index);
	struct stream *both[] = {table[index].client, server};

	for (size_t i = 0; i < 2; i++) {
		if (both[i] == NULL)
			continue;
		if (!both[i]->in_fin && !both[i]->reset)
			peer_fin(both[i]);
		while (peer_take(both[i], SIZE_MAX) > 0)
			kernel_run(&gateway.loop, 20);
	}
}

static void end(struct tcp_listener *listener)
{
	kernel_run(&gateway.loop, 130000 * ENDPOINTS);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < count; i++)
			part(i);
		kernel_run(&gateway.loop, 130000);
	}
	require(gateway.statistics.tcp_active == 0);
	for (size_t i = 0; i < count; i++) {
		const struct stream *server = server_of(i);
		const struct stream *client = table[i].client;
		check_bytes(client, i, true, table[i].server_said);
		if (server != NULL)
			check_bytes(server, i, false, table[i].client_said);
		/* Who ended in order while nobody was rude was understood. */
		if (server != NULL && !table[i].rudely)
			require(!client->got_reset && !server->got_reset);
	}
	tcp_listener_close(listener);
	tcp_relay_end(&gateway);
	require(kernel_open() == 0);
	require(kernel_complaint() == NULL);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct tcp_listener listener;

	kernel_begin(size > 0 ? data[0] : 0);
	gateway = (struct gateway){0};
	cidr_parse("10.42.0.0/16", &gateway.options.pod_cidr);
	cidr_parse("10.43.0.0/16", &gateway.options.service_cidr);
	memset(table, 0, sizeof(table));
	count = 0;
	table_init(&gateway.table);
	pods_init(&gateway.pods);
	loop_init(&gateway.loop);
	tcp_relay_init(&gateway, 256);
	tcp_listener_init(&gateway, &listener);
	tcp_listener_open(&listener, false, (struct endpoint){0, 15999}, NULL);
	kernel_share = size > 0 && data[0] & 1;
	for (size_t i = 1; i + 2 < size && i < STEPS; i += 3) {
		if (data[i] % 32 >= 30 || count == 0)
			connect_client(data[i + 1]);
		else
			act(data[i] % 32, data[i + 1] % count, data[i + 2]);
		if (data[i] & 64)
			kernel_run(&gateway.loop, 1);
	}
	end(&listener);
	for (struct list *node; (node = gateway.table.frontends.next) != &gateway.table.frontends;)
		table_remove(&gateway.table, list_object(node, struct frontend, node));
	map_free(&gateway.table.by_key);
	pods_end(&gateway.pods);
	loop_end(&gateway.loop);
	kernel_end();
	return 0;
}
