/*
 * The CNI plugins gvisor-bridge and loopback, one program for both: the configuration's "type" says
 * which (https://www.cni.dev/docs/spec/, 0.3.1 to 1.1.0).
 */
#include "cni/bridge.h"
#include "cni/config.h"
#include "cni/error.h"
#include "cni/loopback.h"
#include "cni/request.h"
#include "cni/result.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/json.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CONFIG_MAXIMUM (1024 * 1024)

static int run_bridge(const struct json *json, const struct config *config,
                      const struct request *request, struct cni_error *error)
{
	switch (request->command) {
	case COMMAND_ADD:
		return bridge_add(json, config, request, error);
	case COMMAND_DEL:
		return bridge_del(config, request, error);
	case COMMAND_CHECK:
		return bridge_check(json, config, request, error);
	case COMMAND_STATUS:
		return bridge_status(config, error);
	case COMMAND_GC:
		return bridge_gc(json, config, error);
	case COMMAND_VERSION:
		break;
	}
	return 0;
}

static int run_loopback(const struct config *config, const struct request *request,
                        struct cni_error *error)
{
	switch (request->command) {
	case COMMAND_ADD:
		return loopback_add(config, request, error);
	case COMMAND_CHECK:
		return loopback_check(request, error);
	case COMMAND_DEL: /* lo ends with its namespace */
	case COMMAND_STATUS:
	case COMMAND_GC:
	case COMMAND_VERSION:
		break;
	}
	return 0;
}

/* Which version of the specification brought a command. */
static int check_command(const struct config *config, const struct request *request,
                         struct cni_error *error)
{
	const char *since = "0.3.1";

	if (request->command == COMMAND_CHECK)
		since = "0.4.0";
	if (request->command == COMMAND_STATUS || request->command == COMMAND_GC)
		since = "1.1.0";
	if (config_version_at_least(config, since))
		return 0;
	error->code = CNI_INCOMPATIBLE_VERSION;
	return fail_input(&error->failure,
	                  "Bad cniVersion %s: expected %s or later for this command",
	                  config->version, since);
}

/* VERSION comes with a document that has no more than a cniVersion, if that. */
static int print_versions(const struct json *json)
{
	const struct json_value *version = json_member(json, json->values, "cniVersion");

	result_print_versions(stdout, version != NULL && version->type == JSON_STRING
	                                  ? version->text
	                                  : CNI_NEWEST_VERSION);
	return 0;
}

static int run(const struct json *json, const struct request *request, struct config *config,
               struct cni_error *error)
{
	int result;

	if (request->command == COMMAND_VERSION)
		return print_versions(json);
	result = config_read(json, config, error);
	if (result == 0)
		result = check_command(config, request, error);
	if (result != 0)
		return result;
	return config->plugin == PLUGIN_BRIDGE ? run_bridge(json, config, request, error)
	                                       : run_loopback(config, request, error);
}

static int read_json(char **text, struct json *json, struct cni_error *error)
{
	size_t size = 0;
	int result = io_read(STDIN_FILENO, CONFIG_MAXIMUM, text, &size);

	if (result != 0) {
		error->code = CNI_IO;
		return fail(&error->failure, -result, "read the network configuration");
	}
	error->code = CNI_DECODE;
	return json_parse(*text, size, json, &error->failure);
}

int main(void)
{
	struct config config = {.version = CNI_NEWEST_VERSION};
	cleanup_free char *text = NULL;
	struct json json = {0};
	struct request request;
	struct cni_error error;
	int result;

	/* A gateway or a runtime that goes is an error like others. */
	signal(SIGPIPE, SIG_IGN);
	result = request_read(getenv, &request, &error);
	if (result == 0)
		result = read_json(&text, &json, &error);
	if (result == 0)
		result = run(&json, &request, &config, &error);
	if (result != 0)
		result_print_error(stdout, config.version, &error);
	json_free(&json);
	/* A result that the runtime did not get is a failure; musl may have noticed it before now.
	 */
	if (fflush(stdout) != 0 || ferror(stdout))
		result = -EIO;
	return result == 0 ? 0 : 1;
}
