#include "init/launch.h"

#include "init/operations/operation.h"
#include "lib/test/tap.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

static void reads_a_launch_file(void)
{
	char text[] = "# user-namespace: no CAP_SYS_ADMIN here\n"
	              "namespaces\tuser,mount,pid\n"
	              "map-uid\t0\t0\t65536\n"
	              "map-gid\t0\t1001\t1\n"
	              "setgroups\tdeny\n"
	              "\n"
	              "write\t/etc/a\\tb\t0644\tone\\ntwo\\\\\n"
	              "ready\n";
	struct position position;
	struct failure failure;
	struct launch launch;

	check_number(launch_parse(text, &launch, &position, &failure), 0, "it is read");
	check_number(launch.namespaces, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID, "namespaces");
	check(launch.uids.count == 1 && launch.uids.maps[0].count == 65536, "uids");
	check(launch.gids.count == 1 && launch.gids.maps[0].outside == 1001, "gids");
	check(launch.deny_setgroups, "setgroups");
	if (check_number((long)launch.operation_count, 2, "operations")) {
		check_text(launch.operations[0].type->name, "write", "the first's directive");
		check_number(launch.operations[0].line, 7, "its line");
		check_text(launch.operations[0].arguments[0], "/etc/a\tb", "its path, unescaped");
		check_text(launch.operations[0].arguments[2], "one\ntwo\\", "its content");
		check_text(launch.operations[1].type->name, "ready", "the second's directive");
	}
	launch_free(&launch);
}

static void refuses(void)
{
	static const struct {
		const char *text;
		unsigned int line;
		const char *directive;
		const char *message;
	} table[] = {
	    {"nonsense\t1\n", 1, "-", "Unknown directive \"nonsense\" in line 1"},
	    {"namespaces\tmount,moon\n", 1, "namespaces",
	     "Unknown namespace \"moon\": expected user, mount, pid, network, uts or ipc"},
	    {"namespaces\tmount\nmap-uid\t0\t0\t1\n", 0, "namespaces",
	     "Id maps without a user namespace: name \"user\" in namespaces"},
	    {"namespaces\tuser\n", 0, "namespaces",
	     "User namespace without id maps: give map-uid and map-gid, or a mapper"},
	    {"namespaces\tmount\nmapper\t/idmap\n", 0, "namespaces",
	     "Id maps without a user namespace: name \"user\" in namespaces"},
	    {"namespaces\tuser\nmapper\t/idmap\nmap-uid\t0\t0\t1\n", 0, "namespaces",
	     "Id maps and a mapper: give one of the two"},
	    {"namespaces\tuser\nmap-uid\t0\t0\t-1\n", 2, "map-uid",
	     "Bad id \"-1\": expected a number up to 4294967295"},
	    {"namespaces\tuser\nmap-gid\t0\t0\t4294967296\n", 2, "map-gid",
	     "Bad id \"4294967296\": expected a number up to 4294967295"},
	    {"setgroups\tallow\n", 1, "setgroups", "Unknown setgroups \"allow\": expected deny"},
	    {"\n\nready\tnow\n", 3, "ready", "Directive ready has 1 arguments: expected 0"},
	    {"symlink\ta\n", 1, "symlink", "Directive symlink has 1 arguments: expected 2"},
	    {"ready\nnamespaces\tpid\n", 2, "namespaces",
	     "Directive namespaces after the first operation: it belongs to the header"},
	    {"hostname\ta\\x\n", 1, "-", "Bad escape in line 1: expected \\\\, \\t or \\n"},
	    {"mount\t1\t2\t3\t4\t5\t6\n", 1, "-", "Too many fields in line 1: at most 6"},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct position position = {0};
		struct failure failure;
		struct launch launch;
		char *text = strdup(table[i].text);

		check_number(launch_parse(text, &launch, &position, &failure), -EINVAL,
		             table[i].message);
		check_text(failure.message, table[i].message, "message");
		check_number(position.line, table[i].line, "line");
		check_text(position.directive, table[i].directive, "directive");
		launch_free(&launch);
		free(text);
	}
}

static void reads_a_mapper(void)
{
	char text[] = "namespaces\tuser\nmapper\t/usr/bin/sudo\nmapper\t-n\n";
	struct position position;
	struct failure failure;
	struct launch launch;

	check_number(launch_parse(text, &launch, &position, &failure), 0, "it is read");
	if (check_number((long)launch.mapper.count, 2, "its arguments")) {
		check_text(launch.mapper.items[0], "/usr/bin/sudo", "the program");
		check_text(launch.mapper.items[1], "-n", "its argument");
	}
	launch_free(&launch);
}

static void nothing_is_asked_for(void)
{
	char text[] = "namespaces\t\n";
	struct position position;
	struct failure failure;
	struct launch launch;

	check_number(launch_parse(text, &launch, &position, &failure), 0, "no namespaces at all");
	check_number(launch.namespaces, 0, "none");
	launch_free(&launch);
}

int main(void)
{
	reads_a_launch_file();
	refuses();
	reads_a_mapper();
	nothing_is_asked_for();
	return tap_done();
}
