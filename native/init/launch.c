#include "init/launch.h"

#include "init/operations/operation.h"
#include "lib/fields.h"
#include "lib/number.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	int flag;
} namespace_names[] = {
    {"user", CLONE_NEWUSER},   {"mount", CLONE_NEWNS}, {"pid", CLONE_NEWPID},
    {"network", CLONE_NEWNET}, {"uts", CLONE_NEWUTS},  {"ipc", CLONE_NEWIPC},
};

static int namespace_flag(const char *name)
{
	for (size_t i = 0; i < sizeof namespace_names / sizeof namespace_names[0]; i++)
		if (strcmp(namespace_names[i].name, name) == 0)
			return namespace_names[i].flag;
	return 0;
}

static int parse_namespaces(struct launch *launch, char **arguments, struct failure *failure)
{
	char *rest = NULL;

	for (char *name = strtok_r(arguments[0], ",", &rest); name != NULL;
	     name = strtok_r(NULL, ",", &rest)) {
		int flag = namespace_flag(name);

		if (flag == 0)
			return fail_input(failure,
			                  "Unknown namespace \"%s\": expected user, mount, pid, "
			                  "network, uts or ipc",
			                  name);
		launch->namespaces |= flag;
	}
	return 0;
}

static int parse_map(struct id_maps *maps, char **arguments, struct failure *failure)
{
	unsigned long values[3];

	if (maps->count == ID_MAPS)
		return fail_input(failure, "Too many id maps: at most %d", ID_MAPS);
	for (int i = 0; i < 3; i++)
		if (number_parse(arguments[i], 10, UINT32_MAX, &values[i]) != 0)
			return fail_input(failure, "Bad id \"%s\": expected a number up to %u",
			                  arguments[i], UINT32_MAX);
	maps->maps[maps->count++] = (struct id_map){values[0], values[1], values[2]};
	return 0;
}

static int parse_map_uid(struct launch *launch, char **arguments, struct failure *failure)
{
	return parse_map(&launch->uids, arguments, failure);
}

static int parse_map_gid(struct launch *launch, char **arguments, struct failure *failure)
{
	return parse_map(&launch->gids, arguments, failure);
}

static int parse_setgroups(struct launch *launch, char **arguments, struct failure *failure)
{
	if (strcmp(arguments[0], "deny") != 0)
		return fail_input(failure, "Unknown setgroups \"%s\": expected deny", arguments[0]);
	launch->deny_setgroups = true;
	return 0;
}

static int parse_mapper(struct launch *launch, char **arguments, struct failure *failure)
{
	if (strings_add(&launch->mapper, arguments[0]) != 0)
		return fail(failure, ENOMEM, "hold the launch file");
	return 0;
}

static const struct header_type {
	const char *name;
	int argument_count;
	int (*parse)(struct launch *launch, char **arguments, struct failure *failure);
} header_types[] = {
    {"namespaces", 1, parse_namespaces},
    {"map-uid", 3, parse_map_uid},
    {"map-gid", 3, parse_map_gid},
    {"setgroups", 1, parse_setgroups},
    {"mapper", 1, parse_mapper},
};

static const struct header_type *find_header(const char *name)
{
	for (size_t i = 0; i < sizeof header_types / sizeof header_types[0]; i++)
		if (strcmp(header_types[i].name, name) == 0)
			return &header_types[i];
	return NULL;
}

static int check_count(const char *directive, int expected, int found, struct failure *failure)
{
	if (found == expected)
		return 0;
	return fail_input(failure, "Directive %s has %d arguments: expected %d", directive, found,
	                  expected);
}

static int add_operation(struct launch *launch, const struct operation_type *type,
                         unsigned int line, char **arguments)
{
	struct operation *operation = &launch->operations[launch->operation_count++];

	operation->type = type;
	operation->line = line;
	memcpy(operation->arguments, arguments, sizeof operation->arguments);
	return 0;
}

static int parse_line(char *text, struct launch *launch, struct position *position,
                      struct failure *failure)
{
	char *fields[1 + LAUNCH_ARGUMENTS] = {0};
	int count = fields_split(text, fields, sizeof fields / sizeof fields[0]);
	const struct operation_type *operation;
	const struct header_type *header;
	int error;

	if (count == -EINVAL)
		return fail_input(failure, "Bad escape in line %u: expected \\\\, \\t or \\n",
		                  position->line);
	if (count < 0)
		return fail_input(failure, "Too many fields in line %u: at most %d", position->line,
		                  1 + LAUNCH_ARGUMENTS);
	header = find_header(fields[0]);
	if (header != NULL) {
		position->directive = header->name;
		if (launch->operation_count > 0)
			return fail_input(failure,
			                  "Directive %s after the first operation: it "
			                  "belongs to the header",
			                  fields[0]);
		error = check_count(fields[0], header->argument_count, count - 1, failure);
		return error != 0 ? error : header->parse(launch, fields + 1, failure);
	}
	operation = operation_find(fields[0]);
	if (operation == NULL)
		return fail_input(failure, "Unknown directive \"%.100s\" in line %u", fields[0],
		                  position->line);
	position->directive = operation->name;
	error = check_count(fields[0], operation->argument_count, count - 1, failure);
	return error != 0 ? error : add_operation(launch, operation, position->line, fields + 1);
}

static size_t count_lines(const char *text)
{
	size_t lines = 1;

	for (; *text != '\0'; text++)
		lines += *text == '\n';
	return lines;
}

static int check_maps(const struct launch *launch, struct position *position,
                      struct failure *failure)
{
	bool user = (launch->namespaces & CLONE_NEWUSER) != 0;
	bool maps = launch->uids.count > 0 || launch->gids.count > 0 || launch->deny_setgroups;
	bool mapper = launch->mapper.count > 0;

	*position = (struct position){.line = 0, .directive = "namespaces"};
	if ((maps || mapper) && !user)
		return fail_input(failure,
		                  "Id maps without a user namespace: name \"user\" in namespaces");
	if (maps && mapper)
		return fail_input(failure, "Id maps and a mapper: give one of the two");
	if (user && !mapper && (launch->uids.count == 0 || launch->gids.count == 0))
		return fail_input(failure, "User namespace without id maps: give map-uid and "
		                           "map-gid, or a mapper");
	return 0;
}

int launch_parse(char *text, struct launch *out, struct position *position, struct failure *failure)
{
	*out = (struct launch){0};
	*position = (struct position){.line = 0, .directive = "-"};
	out->operations = calloc(count_lines(text), sizeof *out->operations);
	if (out->operations == NULL)
		return fail(failure, ENOMEM, "hold the launch file");
	for (char *line = text; line != NULL;) {
		char *end = strchr(line, '\n');
		int error = 0;

		if (end != NULL)
			*end++ = '\0';
		*position = (struct position){.line = position->line + 1, .directive = "-"};
		if (*line != '\0' && *line != '#')
			error = parse_line(line, out, position, failure);
		if (error != 0)
			return error;
		line = end;
	}
	return check_maps(out, position, failure);
}

void launch_free(struct launch *launch)
{
	free(launch->operations);
	launch->operations = NULL;
	strings_free(&launch->mapper);
}
