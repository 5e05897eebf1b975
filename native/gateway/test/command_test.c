#include "gateway/command.h"

#include "lib/test/tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int parse(const char *text, struct command *command, struct failure *failure)
{
	char line[512];

	snprintf(line, sizeof(line), "%s", text);
	return command_parse(line, strlen(line), command, failure);
}

static void good_lines(void)
{
	struct command command;
	struct failure failure;

	check_number(
	    parse("set tcp 10.43.0.10:80 10.42.0.2:8080 10.42.0.3:8081", &command, &failure), 0,
	    "set with endpoints");
	check(command.verb == COMMAND_SET && command.frontend.protocol == PROTOCOL_TCP, "is a set");
	check(command.frontend.address.address == 0x0a2b000a && command.frontend.address.port == 80,
	      "of its frontend");
	check(command.endpoint_count == 2 && command.endpoints[1].address == 0x0a2a0003 &&
	          command.endpoints[1].port == 8081 && command.affinity_seconds == 0,
	      "with both endpoints and no affinity");
	free(command.endpoints);

	check_number(parse("set udp *:30080 affinity=10800 10.42.0.2:53", &command, &failure), 0,
	             "set of a node port with affinity");
	check(command.frontend.protocol == PROTOCOL_UDP && command.frontend.address.address == 0 &&
	          command.frontend.address.port == 30080 && command.affinity_seconds == 10800 &&
	          command.endpoint_count == 1,
	      "has all of it");
	free(command.endpoints);

	check_number(parse("set tcp 10.43.0.10:80", &command, &failure), 0,
	             "set without endpoints");
	check_number((long)command.endpoint_count, 0, "has none");
	check_number(parse("del udp 10.43.0.10:53", &command, &failure), 0, "del");
	check_number(command.verb, COMMAND_DEL, "is a del");
	check_number(parse("begin", &command, &failure), 0, "begin");
	check_number(parse("end", &command, &failure), 0, "end");
	check_number(command.verb, COMMAND_END, "is an end");
	check_number(parse("stats", &command, &failure), 0, "stats");
}

static void policies_and_pods(void)
{
	struct command command;
	struct failure failure;

	check_number(parse("set egress a/b 10.0.0.0/8:tcp:80 a/c", &command, &failure), 0,
	             "set of a policy");
	check(command.verb == COMMAND_ISOLATE && command.policy->direction == DIRECTION_EGRESS,
	      "isolates");
	check_text(command.policy->name, "a/b", "its pod");
	check_number((long)command.policy->rule_count, 2, "but for two rules");
	command_free(&command);

	/* The texts stay in the line. */
	char del[] = "del ingress a/*";
	check_number(command_parse(del, strlen(del), &command, &failure), 0, "del of a policy");
	check(command.verb == COMMAND_RELEASE && command.direction == DIRECTION_INGRESS,
	      "releases");
	check_text(command.name, "a/*", "its pods");

	char own[] = "set own a/b";
	check_number(command_parse(own, strlen(own), &command, &failure), 0, "set of an owner");
	check(command.verb == COMMAND_OWN, "of rules");
	check_text(command.name, "a/b", "who that is");
	char disown[] = "del own a/b";
	check_number(command_parse(disown, strlen(disown), &command, &failure), 0, "del");
	check(command.verb == COMMAND_DISOWN, "of an owner");

	char line[] = "attach c1 a/b 10.42.0.2 /run/netns/x";
	check_number(command_parse(line, strlen(line), &command, &failure), 0, "attach");
	check_text(command.pod.container, "c1", "container");
	check_text(command.pod.name, "a/b", "pod");
	check_number(command.pod.address, 0x0a2a0002, "address");
	check_text(command.pod.netns, "/run/netns/x", "network namespace");
	char gone[] = "detach c1";
	check_number(command_parse(gone, strlen(gone), &command, &failure), 0, "detach");
	check_text(command.pod.container, "c1", "container");
}

static void bad_lines(void)
{
	static const struct {
		const char *line;
		const char *message;
	} table[] = {
	    {"", "Unknown command '': must be set, del, begin, end, stats, watch, attach or detach"},
	    {"Set tcp 1.2.3.4:5", "Unknown command 'Set': must be set, del, begin, end, stats, watch, attach or detach"},
	    {"set", "Bad protocol '': must be tcp, udp, ingress, egress or own"},
	    {"set sctp 1.2.3.4:5", "Bad protocol 'sctp': must be tcp, udp, ingress, egress or own"},
	    {"set tcp", "Bad frontend '': must be an IPv4 address and a port, or *:PORT"},
	    {"set tcp  1.2.3.4:5",
	     "Bad frontend '': must be an IPv4 address and a port, or *:PORT"},
	    {"set tcp *:0", "Bad frontend '*:0': must be an IPv4 address and a port, or *:PORT"},
	    {"set tcp 1.2.3.4:65536",
	     "Bad frontend '1.2.3.4:65536': must be an IPv4 address and a port, or *:PORT"},
	    {"set tcp [::1]:80",
	     "Bad frontend '[::1]:80': must be an IPv4 address and a port, or *:PORT"},
	    {"set tcp 1.2.3.4:5 x", "Bad endpoint 'x': must be an IPv4 address and a port"},
	    {"set tcp 1.2.3.4:5 ", "Bad endpoint '': must be an IPv4 address and a port"},
	    {"set tcp 1.2.3.4:5 *:80", "Bad endpoint '*:80': must be an IPv4 address and a port"},
	    {"set tcp 1.2.3.4:5 6.7.8.9:1 affinity=1",
	     "Bad endpoint 'affinity=1': must be an IPv4 address and a port"},
	    {"set tcp 1.2.3.4:5 affinity=", "Bad affinity=: must be 0 to 86400 seconds"},
	    {"set tcp 1.2.3.4:5 affinity=86401", "Bad affinity=86401: must be 0 to 86400 seconds"},
	    {"del tcp 1.2.3.4:5 6.7.8.9:1", "Bad word '6.7.8.9:1': the command ends before it"},
	    {"begin now", "Bad word 'now': the command ends before it"},
	    {"set ingress", "Bad pod '': must be namespace/name"},
	    {"set egress a", "Bad pod 'a': must be namespace/name"},
	    {"set egress a/b c:tcp",
	     "Bad rule 'c': must be a network or a pod's namespace/name, and :tcp or :udp, and "
	     ":PORT or :FIRST-LAST"},
	    {"del ingress", "Bad pod '': must be namespace/name"},
	    {"del ingress a/b c", "Bad pod 'a/b c': must be namespace/name"},
	    {"attach", "Bad container '': must be its id"},
	    {"attach c a", "Bad pod 'a': must be namespace/name"},
	    {"attach c a/*", "Bad pod 'a/*': must be namespace/name"},
	    {"attach c a/b", "Bad address '': must be an IPv4 address"},
	    {"attach c a/b 0.0.0.0", "Bad address '0.0.0.0': must be an IPv4 address"},
	    {"attach c a/b 10.42.0.2", "Bad network namespace '': must be a path"},
	    {"attach c a/b 10.42.0.2 x", "Bad network namespace 'x': must be a path"},
	    {"attach c a/b 10.42.0.2 /x y", "Bad word 'y': the command ends before it"},
	    {"detach ", "Bad container '': must be its id"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct command command;
		struct failure failure = {0};

		check_number(parse(table[i].line, &command, &failure), -EINVAL, table[i].line);
		check_text(failure.message, table[i].message, "says what is wrong");
		check(command.endpoints == NULL && command.policy == NULL, "and leaves nothing to be freed");
	}

	char nul[] = "stats\0x";
	struct command command;
	struct failure failure;
	check_number(command_parse(nul, sizeof(nul) - 1, &command, &failure), -EINVAL,
	             "a NUL byte");
}

int main(void)
{
	good_lines();
	policies_and_pods();
	bad_lines();
	return tap_done();
}
