#include "cni/request.h"

#include "lib/test/tap.h"

#include <errno.h>
#include <string.h>

/* The environment that the table's row describes. */
static const char *command, *container, *netns, *interface, *arguments;

static char *read_environment(const char *name)
{
	static const char *const names[] = {"CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS",
	                                    "CNI_IFNAME", "CNI_ARGS"};
	const char *found[] = {command, container, netns, interface, arguments};
	static char values[5][512];

	for (size_t i = 0; i < 5; i++) {
		if (strcmp(name, names[i]) != 0 || found[i] == NULL)
			continue;
		snprintf(values[i], sizeof values[i], "%s", found[i]);
		return values[i];
	}
	return NULL;
}

static void reads_the_pod(void)
{
	static const struct {
		const char *arguments, *pod;
	} table[] = {
	    {NULL, ""},
	    {"", ""},
	    {"IgnoreUnknown=1;K8S_POD_NAMESPACE=a;K8S_POD_NAME=b-0;K8S_POD_UID=u", "a/b-0"},
	    {"K8S_POD_NAME=b;K8S_POD_NAMESPACE=a", "a/b"},
	    {"K8S_POD_NAME=b", ""},
	    {"K8S_POD_NAMESPACE=a;K8S_POD_NAME=", ""},
	    {"XK8S_POD_NAMESPACE=a;K8S_POD_NAMES=b", ""},
	};

	command = "ADD", container = "c", netns = "/n", interface = "eth0";
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct cni_error error;
		struct request request;

		arguments = table[i].arguments;
		check_number(request_read(read_environment, &request, &error), 0, "is read");
		check_text(request.pod, table[i].pod, "pod");
	}

	/* Words of a line to the gateway. */
	static const char *const bad[] = {
	    "K8S_POD_NAMESPACE=a b;K8S_POD_NAME=c",
	    "K8S_POD_NAMESPACE=a;K8S_POD_NAME=b\ndetach",
	    "K8S_POD_NAMESPACE=a/b;K8S_POD_NAME=c",
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct cni_error error;
		struct request request;

		arguments = bad[i];
		check_number(request_read(read_environment, &request, &error), -EINVAL, bad[i]);
	}

	char name[sizeof "K8S_POD_NAMESPACE=a;K8S_POD_NAME=" + REQUEST_POD_SIZE];
	struct cni_error error;
	struct request request;
	int length = snprintf(name, sizeof name, "K8S_POD_NAMESPACE=a;K8S_POD_NAME=");
	memset(name + length, 'x', REQUEST_POD_SIZE);
	name[length + REQUEST_POD_SIZE] = '\0';
	arguments = name;
	check_number(request_read(read_environment, &request, &error), -EINVAL, "too long a name");
	arguments = NULL;
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
	    {"ADD", "c1", NULL, "eth0",
	     "Missing CNI_NETNS: expected a network namespace's path, without blanks"},
	    {"ADD", "c1", "/n\ndetach c2", "eth0",
	     "Bad CNI_NETNS \"/n\ndetach c2\": expected a network namespace's path, without "
	     "blanks"},
	    {"ADD", "c1", "", "eth0",
	     "Bad CNI_NETNS \"\": expected a network namespace's path, without blanks"},
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
	reads_the_pod();
	return tap_done();
}
