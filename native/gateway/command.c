#include "gateway/command.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/number.h"

#define AFFINITY "affinity="

/* The next word, cut off at its blank, or NULL at the end of the line. */
static char *next_word(char **rest)
{
	char *word = *rest;

	if (word == NULL)
		return NULL;
	*rest = strchr(word, ' ');
	if (*rest != NULL)
		*(*rest)++ = '\0';
	return word;
}

static size_t count_words(const char *rest)
{
	size_t count = rest != NULL;

	for (; rest != NULL && *rest != '\0'; rest++)
		count += *rest == ' ';
	return count;
}

static int parse_verb(const char *word, struct command *command, struct failure *failure)
{
	static const char *const verbs[] = {[COMMAND_SET] = "set",
	                                    [COMMAND_DEL] = "del",
	                                    [COMMAND_BEGIN] = "begin",
	                                    [COMMAND_END] = "end",
	                                    [COMMAND_STATS] = "stats",
	                                    [COMMAND_WATCH] = "watch",
	                                    [COMMAND_ATTACH] = "attach",
	                                    [COMMAND_DETACH] = "detach"};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (word != NULL && strcmp(word, verbs[i]) == 0) {
			command->verb = (enum command_verb)i;
			return 0;
		}
	}
	return fail_input(failure,
	                  "Unknown command '%.64s': must be set, del, begin, end, stats, watch, "
	                  "attach or detach",
	                  word == NULL ? "" : word);
}

static int parse_protocol(const char *word, enum protocol *out, struct failure *failure)
{
	if (word != NULL && strcmp(word, "tcp") == 0) {
		*out = PROTOCOL_TCP;
		return 0;
	}
	if (word != NULL && strcmp(word, "udp") == 0) {
		*out = PROTOCOL_UDP;
		return 0;
	}
	return fail_input(failure, "Bad protocol '%.64s': must be tcp, udp, ingress, egress or own",
	                  word == NULL ? "" : word);
}

static int parse_frontend(const char *word, struct endpoint *out, struct failure *failure)
{
	unsigned long port;

	if (word != NULL && endpoint_parse(word, out) == 0)
		return 0;
	if (word != NULL && strncmp(word, "*:", 2) == 0 &&
	    number_parse(word + 2, 10, UINT16_MAX, &port) == 0 && port > 0) {
		*out = (struct endpoint){.address = 0, .port = (uint16_t)port};
		return 0;
	}
	return fail_input(failure,
	                  "Bad frontend '%.64s': must be an IPv4 address and a port, or *:PORT",
	                  word == NULL ? "" : word);
}

static int parse_endpoints(char *rest, struct command *command, struct failure *failure)
{
	char *word = next_word(&rest);

	if (word != NULL && strncmp(word, AFFINITY, strlen(AFFINITY)) == 0) {
		unsigned long seconds;
		if (number_parse(word + strlen(AFFINITY), 10, AFFINITY_LIMIT, &seconds) != 0)
			return fail_input(failure, "Bad %.64s: must be 0 to %d seconds", word,
			                  AFFINITY_LIMIT);
		command->affinity_seconds = (uint32_t)seconds;
		word = next_word(&rest);
	}
	if (word == NULL)
		return 0;
	command->endpoints = calloc(1 + count_words(rest), sizeof(*command->endpoints));
	if (command->endpoints == NULL)
		return fail(failure, ENOMEM, "read the endpoints");
	for (; word != NULL; word = next_word(&rest)) {
		struct endpoint *endpoint = &command->endpoints[command->endpoint_count++];
		if (endpoint_parse(word, endpoint) != 0)
			return fail_input(
			    failure, "Bad endpoint '%.64s': must be an IPv4 address and a port",
			    word);
		if (!address_is_unicast(endpoint->address))
			return fail_input(failure,
			                  "Bad endpoint '%.64s': must be another machine's, not "
			                  "loopback, multicast or reserved",
			                  word);
	}
	return 0;
}

/* Whether the word is a direction: what follows is then a policy's, not a frontend's. */
static bool read_direction(const char *word, enum direction *out)
{
	static const char *const directions[DIRECTIONS] = {[DIRECTION_INGRESS] = "ingress",
	                                                   [DIRECTION_EGRESS] = "egress"};

	for (size_t i = 0; word != NULL && i < DIRECTIONS; i++) {
		if (strcmp(word, directions[i]) == 0) {
			*out = (enum direction)i;
			return true;
		}
	}
	return false;
}

static int parse_policy(char *rest, struct command *command, struct failure *failure)
{
	if (command->verb == COMMAND_SET) {
		command->verb = COMMAND_ISOLATE;
		return policy_parse(command->direction, rest == NULL ? "" : rest, &command->policy,
		                    failure);
	}
	command->verb = COMMAND_RELEASE;
	command->name = rest == NULL ? "" : rest;
	return policy_is_name(command->name, true)
	           ? 0
	           : fail_input(failure, "Bad pod '%.300s': must be namespace/name",
	                        command->name);
}

static int parse_owner(char *rest, struct command *command, struct failure *failure)
{
	command->verb = command->verb == COMMAND_SET ? COMMAND_OWN : COMMAND_DISOWN;
	command->name = rest == NULL ? "" : rest;
	return policy_is_name(command->name, false)
	           ? 0
	           : fail_input(failure, "Bad pod '%.300s': must be namespace/name",
	                        command->name);
}

static int parse_attach(char **rest, struct pod *pod, struct failure *failure)
{
	struct in_addr address;

	pod->name = next_word(rest);
	if (pod->name == NULL || !policy_is_name(pod->name, false))
		return fail_input(failure, "Bad pod '%.300s': must be namespace/name",
		                  pod->name == NULL ? "" : pod->name);
	const char *text = next_word(rest);
	if (text == NULL || inet_pton(AF_INET, text, &address) != 1 || address.s_addr == 0)
		return fail_input(failure, "Bad address '%.64s': must be an IPv4 address",
		                  text == NULL ? "" : text);
	pod->address = ntohl(address.s_addr);
	pod->netns = next_word(rest);
	if (pod->netns == NULL || pod->netns[0] != '/')
		return fail_input(failure, "Bad network namespace '%.300s': must be a path",
		                  pod->netns == NULL ? "" : pod->netns);
	return 0;
}

static int parse_pod(char **rest, struct command *command, struct failure *failure)
{
	command->pod.container = next_word(rest);
	if (command->pod.container == NULL || *command->pod.container == '\0')
		return fail_input(failure, "Bad container '': must be its id");
	return command->verb == COMMAND_ATTACH ? parse_attach(rest, &command->pod, failure) : 0;
}

static int parse_line(char *line, struct command *command, struct failure *failure)
{
	char *rest = line;
	int status = parse_verb(next_word(&rest), command, failure);

	if (status == 0 && (command->verb == COMMAND_SET || command->verb == COMMAND_DEL)) {
		const char *kind = next_word(&rest);
		if (read_direction(kind, &command->direction))
			return parse_policy(rest, command, failure);
		if (kind != NULL && strcmp(kind, "own") == 0)
			return parse_owner(rest, command, failure);
		status = parse_protocol(kind, &command->frontend.protocol, failure);
		if (status == 0)
			status = parse_frontend(next_word(&rest), &command->frontend.address,
			                        failure);
	}
	if (status == 0 && command->verb == COMMAND_SET)
		return parse_endpoints(rest, command, failure);
	if (status == 0 && (command->verb == COMMAND_ATTACH || command->verb == COMMAND_DETACH))
		status = parse_pod(&rest, command, failure);
	if (status == 0 && rest != NULL)
		return fail_input(failure, "Bad word '%.64s': the command ends before it", rest);
	return status;
}

int command_parse(char *line, size_t length, struct command *command, struct failure *failure)
{
	*command = (struct command){0};
	if (memchr(line, '\0', length) != NULL)
		return fail_input(failure, "Bad line: it contains a NUL byte");
	int status = parse_line(line, command, failure);
	if (status < 0) {
		command_free(command);
		*command = (struct command){0};
	}
	return status;
}

void command_free(struct command *command)
{
	free(command->endpoints);
	policy_free(command->policy);
}
