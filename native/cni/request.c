#include "cni/request.h"

#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <string.h>

#define ALPHANUMERIC "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* What the names of Kubernetes' objects are made of. */
#define NAME "abcdefghijklmnopqrstuvwxyz0123456789.-"

static const struct {
	const char *name;
	bool needs_container, needs_netns;
} commands[] = {
    [COMMAND_ADD] = {"ADD", true, true},           [COMMAND_DEL] = {"DEL", true, false},
    [COMMAND_CHECK] = {"CHECK", true, true},       [COMMAND_STATUS] = {"STATUS", false, false},
    [COMMAND_VERSION] = {"VERSION", false, false}, [COMMAND_GC] = {"GC", false, false},
};

static int find_command(const char *name)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(commands[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* The specification's form of an id: it is written into files by us and by others. */
static bool is_container_id(const char *text)
{
	return *text != '\0' && strchr(ALPHANUMERIC, *text) != NULL &&
	       text[strspn(text, ALPHANUMERIC "_.-")] == '\0';
}

/* What Linux takes for a link's name (dev_valid_name in net/core/dev.c). */
static bool is_interface_name(const char *text)
{
	return *text != '\0' && strlen(text) < IF_NAMESIZE && strcmp(text, ".") != 0 &&
	       strcmp(text, "..") != 0 && strpbrk(text, "/: \t\n\v\f\r") == NULL;
}

/* It becomes a word of a line to the gateway. */
static bool is_word(const char *text)
{
	return *text != '\0' && strpbrk(text, " \t\n\v\f\r") == NULL;
}

static int invalid(struct cni_error *error, const char *variable, const char *value,
                   const char *expected)
{
	error->code = CNI_INVALID_ENVIRONMENT;
	if (value == NULL)
		return fail_input(&error->failure, "Missing %s: expected %s", variable, expected);
	return fail_input(&error->failure, "Bad %s \"%s\": expected %s", variable, value, expected);
}

/* The value of a key of CNI_ARGS, which is KEY=VALUE;KEY=VALUE...; its length, 0 without one. */
static size_t find_argument(const char *arguments, const char *key, const char **value)
{
	const size_t length = strlen(key);

	for (const char *next = arguments; next != NULL; next = strchr(next, ';')) {
		next += *next == ';';
		if (strncmp(next, key, length) == 0 && next[length] == '=') {
			*value = next + length + 1;
			return strcspn(*value, ";");
		}
	}
	return 0;
}

/* What containerd tells of Kubernetes' pods, as every runtime of the kubelet does. */
static int read_pod(environment_reader *read, struct request *out, struct cni_error *error)
{
	const char *arguments = read("CNI_ARGS"), *namespace = NULL, *name = NULL;
	const size_t namespace_length = find_argument(arguments, "K8S_POD_NAMESPACE", &namespace);
	const size_t name_length = find_argument(arguments, "K8S_POD_NAME", &name);

	if (namespace_length == 0 || name_length == 0)
		return 0;
	if (namespace_length + 1 + name_length >= sizeof out->pod ||
	    strspn(namespace, NAME) < namespace_length || strspn(name, NAME) < name_length)
		return invalid(error, "CNI_ARGS", arguments, "names that Kubernetes allows");
	memcpy(out->pod, namespace, namespace_length);
	out->pod[namespace_length] = '/';
	memcpy(out->pod + namespace_length + 1, name, name_length);
	return 0;
}

int request_read(environment_reader *read, struct request *out, struct cni_error *error)
{
	const char *name = read("CNI_COMMAND");
	int command = name == NULL ? -1 : find_command(name);

	if (command < 0)
		return invalid(error, "CNI_COMMAND", name,
		               "ADD, DEL, CHECK, STATUS, VERSION or GC");
	*out = (struct request){
	    .command = (enum command)command,
	    .container = read("CNI_CONTAINERID"),
	    .netns = read("CNI_NETNS"),
	    .interface = read("CNI_IFNAME"),
	};
	if (!commands[command].needs_container)
		return 0;
	if (out->container == NULL || !is_container_id(out->container))
		return invalid(error, "CNI_CONTAINERID", out->container,
		               "letters, digits, \"_\", \".\" and \"-\"");
	if (out->interface == NULL || !is_interface_name(out->interface))
		return invalid(error, "CNI_IFNAME", out->interface, "a link's name");
	if (commands[command].needs_netns && (out->netns == NULL || !is_word(out->netns)))
		return invalid(error, "CNI_NETNS", out->netns,
		               "a network namespace's path, without blanks");
	return read_pod(read, out, error);
}
