#include "cni/pool.h"

#include "lib/test/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

static struct config config_of(const char *subnet, const char *gateway)
{
	struct config config = {.reserved_count = 1};

	cidr_parse(subnet, &config.subnet);
	inet_pton(AF_INET, gateway, &config.reserved[0]);
	return config;
}

static const char *choose(const struct pool *pool, const struct config *config)
{
	static char text[INET_ADDRSTRLEN];
	struct in_addr address;

	if (pool_choose(pool, config, &address) != 0)
		return "none";
	inet_ntop(AF_INET, &address, text, sizeof text);
	return text;
}

static void take(struct pool *pool, const char *text, const char *container)
{
	struct in_addr address;

	inet_pton(AF_INET, text, &address);
	pool_add(pool, address, container, "eth0");
}

static void chooses(void)
{
	struct config config = config_of("10.42.0.0/29", "10.42.0.1");
	struct pool pool = {0};

	check_text(choose(&pool, &config), "10.42.0.2", "the first after the gateway's");
	take(&pool, "10.42.0.2", "a");
	check_text(choose(&pool, &config), "10.42.0.3", "the one after it");
	take(&pool, "10.42.0.3", "b");
	pool_remove(&pool, pool_find(&pool, "b", "eth0"));
	check_text(choose(&pool, &config), "10.42.0.4", "not what was given back just now");
	take(&pool, "10.42.0.4", "c");
	take(&pool, "10.42.0.5", "d");
	take(&pool, "10.42.0.6", "e");
	check_text(choose(&pool, &config), "10.42.0.3", "around the end, past the gateway");
	take(&pool, "10.42.0.3", "f");
	check_text(choose(&pool, &config), "none",
	           "neither network nor broadcast when all are taken");
	pool_remove(&pool, pool_find(&pool, "d", "eth0"));
	check_text(choose(&pool, &config), "10.42.0.5", "until one is given back");
	pool_free(&pool);
}

static void every_address_once(void)
{
	struct config config = config_of("10.42.0.0/24", "10.42.0.1");
	struct pool pool = {0};
	int count = 0;
	struct in_addr address;

	while (pool_choose(&pool, &config, &address) == 0 && count < 300) {
		pool_add(&pool, address, "x", "eth0");
		count++;
	}
	check_number(count, 253, "a /24 has 253 addresses for pods");
	check(ntohl(pool.last.s_addr) == 0x0a2a00fe, "the last of them is .254");
	pool_free(&pool);
}

static void a_subnet_that_changed(void)
{
	struct config config = config_of("10.142.0.0/24", "10.142.0.1");
	struct pool pool = {0};

	take(&pool, "10.42.0.9", "a");
	check_text(choose(&pool, &config), "10.142.0.2", "starts anew in another subnet");
	pool_free(&pool);
}

static void there_and_back_again(void)
{
	const char *expected =
	    "last\t10.42.0.7\nlease\t10.42.0.2\ta\teth0\nlease\t10.42.0.7\tb\teth0\n";
	struct pool pool = {0}, read;
	struct failure failure;
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	take(&pool, "10.42.0.2", "a");
	take(&pool, "10.42.0.7", "b");
	pool_write(&pool, stream);
	fclose(stream);
	check_text(text, expected, "what is written");
	check_number(pool_read(text, &read, &failure), 0, "is read");
	check(read.count == 2 && read.last.s_addr == pool.last.s_addr, "whole");
	check(pool_find(&read, "b", "eth0") == &read.leases[1], "a lease is found");
	check(pool_find(&read, "b", "eth1") == NULL, "not by another interface");
	check(pool_find(&read, "c", "eth0") == NULL, "not by another container");
	pool_free(&read);
	pool_free(&pool);
	free(text);
}

static void refuses(void)
{
	static const struct {
		const char *text, *message;
	} table[] = {
	    {"last\t10.42.0.7", "Bad leases: line 1 does not end"},
	    {"last\t10.42.0.7\nlease\t10.42.0.2\ta\n", "Bad leases: line 2 is no lease"},
	    {"lease\t10.42.0\ta\teth0\n", "Bad leases: line 1 is no lease"},
	    {"\n", "Bad leases: line 1 is no lease"},
	    {"leases\t10.42.0.2\ta\teth0\n", "Bad leases: line 1 is no lease"},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		char *text = strdup(table[i].text);
		struct failure failure;
		struct pool pool;

		check_number(pool_read(text, &pool, &failure), -EINVAL, "refused");
		check_text(failure.message, table[i].message, "message");
		pool_free(&pool);
		free(text);
	}
}

int main(void)
{
	chooses();
	every_address_once();
	a_subnet_that_changed();
	there_and_back_again();
	refuses();
	return tap_done();
}
