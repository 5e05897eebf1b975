#include "cni/request.h"

#include "lib/test/tap.h"

#include <errno.h>

/* The environment that the table's row describes. */
static const char *command, *container, *netns, *interface;

static char *read_environment(const char *name)
{
	static const char *const names[] = {"CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS",
	                                    "CNI_IFNAME"};
	const char *found[] = {command, container, netns, interface};
	static char values[4][64];

	for (size_t i = 0; i < 4; i++) {
		if (strcmp(name, names[i]) != 0 || found[i] == NULL)
			continue;
		snprintf(values[i], sizeof values[i], "%s", found[i]);
		return values[i];
	}
	return NULL;
}

int main(void)
{
	static const struct {
		const char *command, *container, *netns, *interface, *message;
	} table[] = {
	    {"ADD", "c1", "/n", "eth0", NULL},
	    {"DEL", "c1", NULL, "eth0", NULL},
	    {"DEL", "c1", "", "eth0", NULL},
	    {"CHECK", "a_B.9-", "/n", "eth0", NULL},
	    {"STATUS", NULL, NULL, NULL, NULL},
	    {"VERSION", NULL, NULL, NULL, NULL},
	    {"GC", NULL, NULL, NULL, NULL},
	    {NULL, "c1", "/n", "eth0",
	     "Missing CNI_COMMAND: expected ADD, DEL, CHECK, STATUS, VERSION or GC"},
	    {"add", "c1", "/n", "eth0",
	     "Bad CNI_COMMAND \"add\": expected ADD, DEL, CHECK, STATUS, VERSION or GC"},
	    {"ADD", NULL, "/n", "eth0",
	     "Missing CNI_CONTAINERID: expected letters, digits, \"_\", \".\" and \"-\""},
	    {"ADD", "", "/n", "eth0",
	     "Bad CNI_CONTAINERID \"\": expected letters, digits, \"_\", \".\" and \"-\""},
	    {"ADD", "a\tb", "/n", "eth0",
	     "Bad CNI_CONTAINERID \"a\tb\": expected letters, digits, \"_\", \".\" and \"-\""},
	    {"ADD", "-a", "/n", "eth0",
	     "Bad CNI_CONTAINERID \"-a\": expected letters, digits, \"_\", \".\" and \"-\""},
	    {"ADD", "c1", NULL, "eth0", "Missing CNI_NETNS: expected a network namespace's path"},
	    {"DEL", "c1", NULL, NULL, "Missing CNI_IFNAME: expected a link's name"},
	    {"ADD", "c1", "/n", "sixteen-letters-", // 16 with its NUL would be 17
	     "Bad CNI_IFNAME \"sixteen-letters-\": expected a link's name"},
	    {"ADD", "c1", "/n", "..", "Bad CNI_IFNAME \"..\": expected a link's name"},
	    {"ADD", "c1", "/n", "a/b", "Bad CNI_IFNAME \"a/b\": expected a link's name"},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct cni_error error = {0};
		struct request request;
		int expected = table[i].message == NULL ? 0 : -EINVAL;

		command = table[i].command;
		container = table[i].container;
		netns = table[i].netns;
		interface = table[i].interface;
		check_number(request_read(read_environment, &request, &error), expected,
		             command == NULL ? "no command" : command);
		if (expected == 0)
			continue;
		check_text(error.failure.message, table[i].message, "message");
		check_number(error.code, CNI_INVALID_ENVIRONMENT, "code");
	}
	return tap_done();
}
