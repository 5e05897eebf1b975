#include "gateway/command.h"

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
	                                    [COMMAND_STATS] = "stats"};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(word, verbs[i]) == 0) {
			command->verb = (enum command_verb)i;
			return 0;
		}
	}
	return fail_input(failure, "Unknown command '%.64s': must be set, del, begin, end or stats",
	                  word);
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
	return fail_input(failure, "Bad protocol '%.64s': must be tcp or udp",
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
		if (endpoint_parse(word, &command->endpoints[command->endpoint_count]) != 0)
			return fail_input(
			    failure, "Bad endpoint '%.64s': must be an IPv4 address and a port",
			    word);
		command->endpoint_count++;
	}
	return 0;
}

static int parse_line(char *line, struct command *command, struct failure *failure)
{
	char *rest = line;
	int status = parse_verb(next_word(&rest), command, failure);

	if (status == 0 && (command->verb == COMMAND_SET || command->verb == COMMAND_DEL)) {
		status = parse_protocol(next_word(&rest), &command->frontend.protocol, failure);
		if (status == 0)
			status = parse_frontend(next_word(&rest), &command->frontend.address,
			                        failure);
	}
	if (status == 0 && command->verb == COMMAND_SET)
		return parse_endpoints(rest, command, failure);
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
		free(command->endpoints);
		*command = (struct command){0};
	}
	return status;
}
