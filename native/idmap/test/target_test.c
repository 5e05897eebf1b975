#include "idmap/target.h"

#include "lib/test/tap.h"

#include <errno.h>
#include <unistd.h>

static void parents(void)
{
	static const struct {
		const char *status;
		pid_t parent;
	} table[] = {
	    {"Name:\tinit\nPid:\t8\nPPid:\t7\nTracerPid:\t0\n", 7},
	    /* A process may call itself what it likes, but for a newline. */
	    {"Name:\tPPid:\t9\nPPid:\t7\n", 7},
	    {"Name:\tinit\nPPid:\t0\n", 0},
	    {"Name:\tinit\nPPid:\t-7\n", 0},
	    {"Name:\tinit\nPPid:\t7 8\n", 0},
	    {"Name:\tinit\nPPid:\t99999999999\n", 0},
	    {"Name:\tinit\nPPid:\t7", 0},
	    {"Name:\tinit\n", 0},
	    {"", 0},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		check_number(target_parse_parent(table[i].status), table[i].parent,
		             table[i].status);
}

static void who_may(void)
{
	static const struct {
		struct target target;
		struct caller caller;
		int result;
		const char *what;
	} table[] = {
	    {{.uid = 1001, .parent = 7}, {.uid = 1001, .pid = 7}, 0, "the parent, its own child"},
	    {{.uid = 1002, .parent = 7}, {.uid = 1001, .pid = 7}, -EPERM, "another user's child"},
	    {{.uid = 0, .parent = 7}, {.uid = 1001, .pid = 7}, -EPERM, "a child that is root"},
	    {{.uid = 1001, .parent = 8}, {.uid = 1001, .pid = 7}, -EPERM, "another's child"},
	    {{.uid = 1001, .parent = 0}, {.uid = 1001, .pid = 7}, -EPERM, "nobody's child"},
	    {{.uid = 1001, .parent = 0}, {.uid = 1001, .pid = 0}, -EPERM, "two without a parent"},
	    {{.uid = 1001, .parent = 8}, {.uid = 0, .pid = 7}, 0, "root, as through sudo"},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct failure failure;

		check_number(target_check(&table[i].target, &table[i].caller, &failure),
		             table[i].result, table[i].what);
	}
}

static void opens(void)
{
	struct target target;
	struct failure failure;

	check_number(target_open(getpid(), &target, &failure), 0, "a process is opened");
	check_number(target.parent, getppid(), "its parent");
	check_number(target.uid, geteuid(), "its user");
	check_number(target.gid, getegid(), "its group");
	close(target.directory);
	check_number(target_open(0x7ffffff0, &target, &failure), -ENOENT, "none of that id");
}

int main(void)
{
	parents();
	who_may();
	opens();
	return tap_done();
}
