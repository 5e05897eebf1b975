#include "gateway/table.h"

#include "lib/test/tap.h"

#include <stdlib.h>

#define CLIENT 0x0a2a0009

static const struct frontend_key web = {PROTOCOL_TCP, {0x0a2b000a, 80}};
static const struct frontend_key dns = {PROTOCOL_UDP, {0x0a2b000a, 80}};
static const struct endpoint a = {0x0a2a0002, 8080}, b = {0x0a2a0003, 8080}, c = {0x0a2a0004, 8080};

static void empty(struct table *table)
{
	table_begin(table);
	for (struct frontend *stale; (stale = table_stale(table)) != NULL;)
		table_remove(table, stale);
	map_free(&table->by_key);
}

static void set_and_find(void)
{
	struct table table;

	table_init(&table);
	check(table_find(&table, web) == NULL, "an empty table has nothing");
	struct frontend *frontend = table_set(&table, web, 0, (struct endpoint[]){a, b}, 2);
	check(table_find(&table, web) == frontend, "a frontend is found by its key");
	check(table_find(&table, dns) == NULL, "but not under another protocol");
	check(frontend_has(frontend, a) && !frontend_has(frontend, c), "it has its endpoints");
	check(table_set(&table, web, 0, (struct endpoint[]){c}, 1) == frontend,
	      "set again, it stays the same frontend");
	check(frontend_has(frontend, c) && !frontend_has(frontend, a), "with other endpoints");
	check(table_set(&table, web, 0, NULL, 0) == frontend && frontend->endpoint_count == 0,
	      "or none");
	empty(&table);
}

static void generations(void)
{
	struct table table;

	table_init(&table);
	table_set(&table, web, 0, &a, 1);
	struct frontend *old = table_set(&table, dns, 0, &a, 1);
	check(table_stale(&table) == NULL, "nothing is stale before begin");
	table_begin(&table);
	table_set(&table, web, 0, &b, 1);
	check(table_stale(&table) == old, "what was not set again is stale");
	old->references++;
	table_remove(&table, old);
	check(table_stale(&table) == NULL && table_find(&table, dns) == NULL, "until removed");
	check(frontend_has(old, a), "who holds it can still use it");
	frontend_release(old);
	empty(&table);
}

static void round_robin(void)
{
	struct table table;
	int hits[3] = {0};

	table_init(&table);
	struct frontend *frontend = table_set(&table, web, 0, (struct endpoint[]){a, b, c}, 3);
	for (int i = 0; i < 300; i++)
		hits[frontend_choose(frontend, CLIENT, 0)]++;
	check(hits[0] == 100 && hits[1] == 100 && hits[2] == 100, "every endpoint gets its turn");
	empty(&table);
}

static void affinity(void)
{
	struct table table;

	table_init(&table);
	struct frontend *frontend = table_set(&table, web, 60, (struct endpoint[]){a, b, c}, 3);
	frontend_remember(frontend, CLIENT, b, 1000);
	bool same = true;
	for (int i = 0; i < 10; i++)
		same = same && frontend_choose(frontend, CLIENT, 60999) == 1;
	check(same, "a client keeps its endpoint");
	size_t first = frontend_choose(frontend, CLIENT + 1, 2000);
	check(first != frontend_choose(frontend, CLIENT + 1, 2000), "another client has none yet");
	first = frontend_choose(frontend, CLIENT, 61000);
	check(first != frontend_choose(frontend, CLIENT, 61000), "it is forgotten after its time");
	frontend_remember(frontend, CLIENT, b, 1000);
	table_set(&table, web, 60, (struct endpoint[]){a, c}, 2);
	first = frontend_choose(frontend, CLIENT, 2000);
	check(first != frontend_choose(frontend, CLIENT, 2000), "and when the endpoint is gone");
	table_set(&table, web, 60, (struct endpoint[]){b, a}, 2);
	check_number((long)frontend_choose(frontend, CLIENT, 2000), 0,
	             "it is found where it moved to");
	table_set(&table, web, 0, (struct endpoint[]){b, a}, 2);
	check_number((long)frontend->affinities.count, 0, "none are kept without affinity");
	empty(&table);
}

/* Against a plain array: the same operations must leave the same content. */
static void map_model(void)
{
	static char values[512];
	void *model[512] = {0};
	struct map map = {0};
	unsigned state = 1;
	bool equal = true;

	for (int i = 0; i < 100000; i++) {
		state = state * 1103515245 + 12345;
		unsigned key = state >> 16 & 511;
		if (state & 1U << 30) {
			equal = equal && map_set(&map, key, &values[key]) == 0;
			model[key] = &values[key];
		} else {
			equal = equal && map_remove(&map, key) == model[key];
			model[key] = NULL;
		}
	}
	size_t count = 0;
	for (unsigned key = 0; key < 512; key++) {
		equal = equal && map_get(&map, key) == model[key];
		count += model[key] != NULL;
	}
	check(equal, "a map holds what an array would");
	check_number((long)map.count, (long)count, "and counts it");
	map_free(&map);
}

int main(void)
{
	set_and_find();
	generations();
	round_robin();
	affinity();
	map_model();
	return tap_done();
}
