/* The TCP relay in a kernel of its own (kernel.h): what each peer sees of the other, to the byte. */
#include "gateway/gateway.h"
#include "gateway/redirection.h"
#include "gateway/tcp_relay.h"
#include "gateway/test/kernel.h"
#include "lib/test/tap.h"

#include <stdlib.h>

#define SERVICE 0x0a2b0001
#define POD_A 0x0a2a0002
#define POD_B 0x0a2a0003
#define CLIENT 0x0a2a0009
#define OUTSIDE 0x08080808
#define PROXY 0x0a000001
#define PORT 80

static struct gateway gateway;
static struct tcp_listener listener;
static unsigned char block[64 * 1024];

static void begin(const struct endpoint *endpoints, size_t count)
{
	struct cidr pods, services;

	kernel_begin(1);
	gateway = (struct gateway){0};
	cidr_parse("10.42.0.0/16", &pods);
	cidr_parse("10.43.0.0/16", &services);
	gateway.options = (struct options){
	    .pod_cidr = pods, .service_cidr = services, .bridge_address = 0x0a2a0001};
	table_init(&gateway.table);
	pods_init(&gateway.pods);
	loop_init(&gateway.loop);
	tcp_relay_init(&gateway, 64);
	const struct frontend_key key = {PROTOCOL_TCP, {SERVICE, PORT}};
	table_set(&gateway.table, key, 0, endpoints, count);
	tcp_listener_init(&gateway, &listener);
	tcp_listener_open(&listener, false, (struct endpoint){0, 15999}, NULL);
}

static void end(const char *what)
{
	tcp_listener_close(&listener);
	tcp_relay_end(&gateway);
	check_number((long)kernel_open(), 0, "no descriptor is left");
	check(kernel_complaint() == NULL, "%s: %s", what,
	      kernel_complaint() == NULL ? "nothing to complain of" : kernel_complaint());
	for (struct list *node; (node = gateway.table.frontends.next) != &gateway.table.frontends;)
		table_remove(&gateway.table, list_object(node, struct frontend, node));
	map_free(&gateway.table.by_key);
	pods_end(&gateway.pods);
	loop_end(&gateway.loop);
	kernel_end();
}

static struct stream *client_to(uint32_t address)
{
	struct stream *client = kernel_connect(15999, (struct endpoint){CLIENT, 40000},
	                                       (struct endpoint){address, PORT});

	kernel_run(&gateway.loop, 1);
	return client;
}

static void relays(void)
{
	const struct endpoint endpoints[] = {{POD_A, 8080}};

	begin(endpoints, 1);
	struct stream *client = client_to(SERVICE);
	struct stream *server = kernel_connected(POD_A);
	peer_send(client, "hello", 5);
	peer_fin(client);
	kernel_run(&gateway.loop, 1);
	check(server->got_size == 5 && memcmp(server->got, "hello", 5) == 0, "bytes arrive");
	check(server->got_fin && !client->got_fin, "half-closed");
	peer_send(server, "world", 5);
	peer_fin(server);
	kernel_run(&gateway.loop, 1);
	check(client->got_size == 5 && client->got_fin && !client->got_reset, "and the answer");
	check_number((long)gateway.statistics.tcp_active, 0, "then it is over");
	end("relays");
}

/* Fills everything between a client that sends and a server that does not read. */
static void fill(struct stream *from)
{
	for (int i = 0; i < 16; i++) {
		peer_send(from, block, sizeof(block));
		kernel_run(&gateway.loop, 1);
	}
}

static void reset_while_full(void)
{
	const struct endpoint endpoints[] = {{POD_A, 8080}};

	begin(endpoints, 1);
	struct stream *client = client_to(SERVICE);
	struct stream *server = kernel_connected(POD_A);
	fill(client);
	peer_reset(client);
	kernel_run(&gateway.loop, 10000);
	check(server->got_reset, "a server that does not read sees that its client reset");
	check_number((long)gateway.statistics.tcp_active, 0, "and nothing is held");
	end("reset while full");
}

static void early_answer(void)
{
	const struct endpoint endpoints[] = {{POD_A, 8080}};

	for (int i = 0; i < 2; i++) {
		begin(endpoints, 1);
		struct stream *client = client_to(SERVICE);
		struct stream *server = kernel_connected(POD_A);
		fill(client);
		/* It answers and closes; its system resets for what was never read. */
		peer_send(server, "413", 3);
		peer_reset(server);
		/* The client goes on with its upload. */
		if (i == 1)
			peer_send(client, block, sizeof(block));
		kernel_run(&gateway.loop, 5000);
		check(client->got_size == 3 && memcmp(client->got, "413", 3) == 0,
		      "an answer before the reset arrives");
		check(client->got_reset && !client->got_fin, "and then the reset");
		end("early answer");
	}
}

/* Whichever is noticed first, that the server is gone or what it said. */
static void early_answer_in_any_order(void)
{
	const struct endpoint endpoints[] = {{POD_A, 8080}};
	int heard = 0;

	for (unsigned i = 0; i < 32; i++) {
		begin(endpoints, 1);
		struct stream *client = client_to(SERVICE);
		struct stream *server = kernel_connected(POD_A);
		kernel_begin_again(i);
		peer_send(client, block, 1000);
		kernel_run(&gateway.loop, 1);
		peer_send(client, block, 1000);
		peer_send(server, "413", 3);
		peer_reset(server);
		kernel_run(&gateway.loop, 100);
		heard += client->got_size == 3 && client->got_reset;
		end("early answer in any order");
	}
	check_number(heard, 32, "an early answer is heard every time");
}

static void early_answer_slowly_read(void)
{
	const struct endpoint endpoints[] = {{POD_A, 8080}};

	begin(endpoints, 1);
	struct stream *client = client_to(SERVICE);
	struct stream *server = kernel_connected(POD_A);
	client->window = 8;
	peer_send(server, "413 too large", 13);
	peer_reset(server);
	kernel_run(&gateway.loop, 500);
	check(!client->got_reset, "a reset does not overtake what the client has not taken yet");
	while (peer_take(client, 2) > 0)
		kernel_run(&gateway.loop, 100);
	check_number((long)client->taken, 13, "everything before the reset is delivered");
	check(client->got_reset, "then the reset");
	end("early answer, slowly read");
}

static void answers_after(int64_t wait, uint32_t address, bool reached, const char *what)
{
	kernel_run(&gateway.loop, wait);
	check((kernel_connected(address) != NULL) == reached, "%s", what);
}

static void silent_endpoints(void)
{
	const struct endpoint endpoints[] = {{POD_A, 8080}, {POD_B, 8080}};

	begin(endpoints, 2);
	kernel_answer(POD_A, SILENT);
	kernel_answer(POD_B, SILENT);
	struct stream *client = client_to(SERVICE);
	check(kernel_connected(POD_A) != NULL && kernel_connected(POD_B) == NULL, "one is tried");
	answers_after(3100, POD_B, true, "a silent endpoint is passed over after three seconds");
	kernel_run(&gateway.loop, 60000);
	check(!client->got_reset, "the last one has as long as it takes");
	kernel_run(&gateway.loop, 70000);
	check(client->got_reset, "but not for ever");
	end("silent endpoints");

	const struct endpoint outside[] = {{OUTSIDE, 443}, {POD_A, 8080}};
	begin(outside, 2);
	kernel_answer(OUTSIDE, SILENT);
	client = client_to(SERVICE);
	answers_after(60000, POD_A, false, "an endpoint outside may be slow");
	end("slow outside");
}

static void nowhere(void)
{
	static const struct {
		uint32_t address;
		bool relayed;
	} table[] = {
	    {0x00000000, false}, {0x00000001, false}, {0x7f000001, false}, {0xe0000001, false},
	    {0xf0000001, false}, {0xffffffff, false}, {0x0a2b0063, false}, {0x0a2a0077, false},
	    {OUTSIDE, true},     {0x01010101, true},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		begin(NULL, 0);
		struct stream *client = client_to(table[i].address);
		check(client->got_reset == !table[i].relayed, "%x: %s", table[i].address,
		      table[i].relayed ? "relayed" : "refused");
		check_number((long)kernel_attempts(table[i].address), table[i].relayed,
		             "a connect where it leads somewhere");
		end("nowhere");
	}
}

static void denied(void)
{
	const struct endpoint endpoints[] = {{OUTSIDE, 443}};

	begin(endpoints, 1);
	cidr_parse("8.8.0.0/16", &gateway.options.denied[gateway.options.denied_count++]);
	check(client_to(OUTSIDE)->got_reset, "a pod does not reach an address that is denied");
	check(client_to(SERVICE)->got_reset, "nor by a Service");
	check_number((long)kernel_attempts(OUTSIDE), 0, "nothing is sent there");
	check(!client_to(0x08090909)->got_reset, "it reaches others");
	struct stream *node = kernel_connect(15999, (struct endpoint){0x0a2a0001, 40000},
	                                     (struct endpoint){OUTSIDE, PORT});
	kernel_run(&gateway.loop, 1);
	check(!node->got_reset, "and the node all");
	end("denied");
}

/* Init's parent still has a descriptor of the socket: epoll goes on to tell of it. */
static void shared_sockets(void)
{
	begin(NULL, 0);
	kernel_share = true;
	kernel_answer(OUTSIDE, REFUSES);
	client_to(OUTSIDE);
	struct stream *server = kernel_connected(OUTSIDE);
	kernel_run(&gateway.loop, 10);
	check(server->closed, "a connection that was refused is over");
	peer_reset(server);
	kernel_run(&gateway.loop, 10);
	kernel_unshare(server);
	end("shared sockets");
}

static void vanished(void)
{
	const struct endpoint endpoints[] = {{POD_A, 8080}};

	begin(endpoints, 1);
	struct stream *client = client_to(SERVICE);
	struct stream *server = kernel_connected(POD_A);
	kernel_run(&gateway.loop, 11000);
	check(client->keep_idle == 60 && client->keep_interval == 15 && client->keep_count == 4,
	      "a silent peer is asked");
	tcp_relay_forget(&gateway, POD_B);
	kernel_run(&gateway.loop, 1);
	check(!client->got_reset, "another pod's end is not ours");
	tcp_relay_forget(&gateway, POD_A);
	kernel_run(&gateway.loop, 1);
	check(client->got_reset && server->closed, "a client learns that its server's pod is gone");
	end("server vanished");

	begin(endpoints, 1);
	client = client_to(SERVICE);
	server = kernel_connected(POD_A);
	tcp_relay_forget(&gateway, CLIENT);
	check(server->got_reset, "and a server that its client's is");
	end("client vanished");

	/* A job's last words, to somebody slow: the pod said goodbye and is gone before they arrive. */
	begin(endpoints, 1);
	client = client_to(SERVICE);
	server = kernel_connected(POD_A);
	fill(client);
	peer_fin(client);
	kernel_run(&gateway.loop, 1);
	tcp_relay_forget(&gateway, CLIENT);
	for (int i = 0; i < 200; i++) {
		kernel_run(&gateway.loop, 100);
		peer_take(server, 8192);
	}
	check_number((long)server->taken, 16 * (long)sizeof(block), "all of them do");
	check(server->got_fin, "and their end");
	kernel_run(&gateway.loop, 1000);
	check_number((long)gateway.statistics.tcp_active, 0, "nothing is held then");
	end("last words");

	const struct endpoint two[] = {{POD_A, 8080}, {POD_B, 8080}};
	begin(two, 2);
	kernel_answer(POD_A, SILENT);
	client = client_to(SERVICE);
	tcp_relay_forget(&gateway, POD_A);
	check(kernel_connected(POD_B) != NULL, "who waits for one that is gone goes on to the next");
	end("gone while connecting");
}

static void begin_with_proxy(enum answer direct)
{
	begin(NULL, 0);
	gateway.options.proxy = (struct endpoint){PROXY, 3128};
	cidr_parse("9.0.0.0/8", &gateway.options.unproxied[gateway.options.unproxied_count++]);
	kernel_answer(OUTSIDE, direct);
}

static void proxied(void)
{
	static const char asked[] = "CONNECT 8.8.8.8:80 HTTP/1.1\r\nHost: 8.8.8.8:80\r\n\r\n";
	struct stream *client, *server;

	begin_with_proxy(ANSWERS);
	client_to(OUTSIDE);
	check_number((long)kernel_attempts(PROXY), 0, "not where the direct way is open");
	end("direct");

	begin_with_proxy(REFUSES);
	client = client_to(OUTSIDE);
	peer_send(client, "hello", 5);
	kernel_run(&gateway.loop, 1);
	server = kernel_connected(PROXY);
	check(server->got_size == sizeof(asked) - 1 && memcmp(server->got, asked, sizeof(asked) - 1) == 0,
	      "else the proxy is asked for a tunnel, and told nothing more");
	peer_send(server, "HTTP/1.1 200 OK\r\n", 17);
	kernel_run(&gateway.loop, 1);
	check(server->got_size == sizeof(asked) - 1, "nor before all of its answer");
	peer_send(server, "\r\nworld", 7);
	kernel_run(&gateway.loop, 1);
	check(server->got_size == sizeof(asked) - 1 + 5, "then what the client says");
	check(client->got_size == 5 && memcmp(client->got, "world", 5) == 0, "and the server");
	check_number((long)gateway.statistics.tcp_proxied, 1, "it is counted");
	client_to(OUTSIDE);
	check_number((long)kernel_attempts(OUTSIDE), 1, "the next asks the proxy at once");
	kernel_answer(OUTSIDE, ANSWERS);
	peer_send(kernel_connected(PROXY), "HTTP/1.1 403 No\r\n\r\n", 19);
	kernel_run(&gateway.loop, 1);
	check_number((long)kernel_attempts(OUTSIDE), 2, "and, where it refuses, tries the other way");
	end("proxied");

	begin_with_proxy(REFUSES);
	client = client_to(OUTSIDE);
	peer_send(kernel_connected(PROXY), "HTTP/1.1 403 No\r\n\r\n", 19);
	kernel_run(&gateway.loop, 1);
	check(client->got_reset, "who is refused both ways is reset");
	end("refused by both");

	begin_with_proxy(REFUSES);
	client = client_to(OUTSIDE);
	peer_fin(kernel_connected(PROXY));
	kernel_run(&gateway.loop, 1);
	check(client->got_reset, "a proxy that ends without an answer has refused");
	end("no answer");

	begin_with_proxy(SILENT);
	client = client_to(OUTSIDE);
	answers_after(3100, PROXY, true, "a silent direct way is passed over after three seconds");
	kernel_run(&gateway.loop, 60000);
	check(!client->got_reset, "the proxy has as long as it takes");
	kernel_run(&gateway.loop, 70000);
	check(client->got_reset, "but not for ever");
	end("silent");

	begin_with_proxy(REFUSES);
	kernel_answer(0x09010101, REFUSES);
	check(client_to(0x09010101)->got_reset, "what is to be reached without it, is not by it");
	check_number((long)kernel_attempts(PROXY), 0, "it is not asked");
	cidr_parse("8.8.0.0/16", &gateway.options.denied[gateway.options.denied_count++]);
	check(client_to(OUTSIDE)->got_reset, "nor for what is denied");
	check_number((long)kernel_attempts(PROXY), 0, "it is not asked for that either");
	end("without it");
}

static struct stream *client_of(uint32_t pod, uint16_t port)
{
	struct stream *client =
	    kernel_connect(port, (struct endpoint){pod, 40000}, (struct endpoint){SERVICE, PORT});

	kernel_run(&gateway.loop, 1);
	return client;
}

static void shares(void)
{
	const struct endpoint endpoints[] = {{POD_A, 8080}};
	struct stream *clients[20];

	begin(endpoints, 1);
	for (size_t i = 0; i < 20; i++)
		clients[i] = client_of(CLIENT, 15999);
	check(!clients[15]->got_reset, "a pod may have a quarter of all connections");
	check(clients[16]->got_reset && clients[19]->got_reset, "and is reset beyond");
	check_number((long)gateway.statistics.tcp_over_share, 4, "which is counted");
	check(!client_of(POD_B, 15999)->got_reset, "others are not");
	peer_reset(clients[0]);
	kernel_run(&gateway.loop, 1);
	check(!client_of(CLIENT, 15999)->got_reset, "nor is it once one of its own ended");
	end("shares");
}

static void reserve(void)
{
	const struct endpoint endpoints[] = {{POD_A, 8080}};
	const struct frontend_key key = {PROTOCOL_TCP, {0x7f000001, 6443}};
	struct tcp_listener published;
	struct stream *last = NULL;

	begin(endpoints, 1);
	struct frontend *frontend = frontend_create(key, SIDE_INSIDE, endpoints, 1);
	tcp_listener_init(&gateway, &published);
	published.published = true;
	tcp_listener_open(&published, true, key.address, frontend);
	for (uint32_t i = 0; i < 61; i++)
		last = client_of(CLIENT + i, 15999);
	check_number((long)gateway.statistics.tcp_active, 60, "a sixteenth is kept back");
	check(last->closed, "whoever comes then waits");
	check(!client_of(0x7f000001, 6443)->closed, "but at a published port");
	size_t calls = kernel_epoll_calls;
	for (uint32_t i = 0; i < 50; i++) {
		peer_reset(client_of(0x7f000001, 6443));
		kernel_run(&gateway.loop, 1);
	}
	check(kernel_epoll_calls - calls <= 50 * 4, "each that comes and goes costs its own calls");
	for (int i = 0; i < 10; i++)
		client_of(0x7f000001, 6443);
	check_number((long)gateway.statistics.tcp_active, 64, "up to the limit");
	for (uint32_t i = 0; i < 10; i++)
		tcp_relay_forget(&gateway, CLIENT + i);
	kernel_run(&gateway.loop, 2000);
	check(!last->closed, "and whoever waited is served when some have ended");
	tcp_listener_close(&published);
	end("reserve");
	frontend_release(frontend);
}

static void rules_that_fail(void)
{
	struct redirection redirection;
	struct failure failure;

	begin(NULL, 0);
	tcp_listener_close(&listener);
	check_number(redirection_open(&gateway, &redirection, &failure), 0, "opened");
	const struct frontend_key key = {PROTOCOL_TCP, {SERVICE, PORT}};
	kernel_refuses_rules = 2;
	redirection_refuse(&redirection, table_find(&gateway.table, key), true);
	redirection_apply(&redirection);
	check_number(kernel_replaced_rules, 1, "rules that could not be written");
	kernel_run(&gateway.loop, 2500);
	check_number(kernel_replaced_rules, 2, "are written again until they are");
	kernel_run(&gateway.loop, 2500);
	check_number(kernel_replaced_rules, 2, "and not for ever");
	redirection_refuse(&redirection, table_find(&gateway.table, key), false);
	redirection_close(&redirection);
	end("rules that fail");
}

int main(void)
{
	shares();
	reserve();
	rules_that_fail();
	relays();
	reset_while_full();
	early_answer();
	early_answer_in_any_order();
	early_answer_slowly_read();
	silent_endpoints();
	nowhere();
	denied();
	proxied();
	shared_sockets();
	vanished();
	return tap_done();
}
