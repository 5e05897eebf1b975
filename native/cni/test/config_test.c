#include "cni/config.h"

#include "lib/test/tap.h"

#include <arpa/inet.h>
#include <errno.h>

#define GOOD                                                                                       \
	"\"type\":\"gvisor-bridge\",\"bridge\":\"cni0\",\"subnet\":\"10.42.0.0/24\","              \
	"\"gateway\":\"10.42.0.1\",\"dataDir\":\"/var/lib/cni\""

static int read_config(const char *text, struct json *json, struct config *config,
                       struct cni_error *error)
{
	if (!check_number(json_parse(text, strlen(text), json, &error->failure), 0, "it is JSON"))
		return 1;
	return config_read(json, config, error);
}

static void reads_a_bridge(void)
{
	const char *text =
	    "{\"cniVersion\":\"0.4.0\",\"name\":\"k3s\",\"reserved\":[\"10.42.0.254\"]," GOOD "}";
	struct cni_error error;
	struct config config;
	struct json json;

	check_number(read_config(text, &json, &config, &error), 0, "it is read");
	check(config.plugin == PLUGIN_BRIDGE, "plugin");
	check_text(config.version, "0.4.0", "version");
	check_text(config.bridge, "cni0", "bridge");
	check_text(config.data_directory, "/var/lib/cni", "dataDir");
	check(config.gateway_socket == NULL, "no gateway");
	check(ntohl(config.subnet.address.s_addr) == 0x0a2a0000 && config.subnet.prefix == 24,
	      "subnet");
	check(ntohl(config.gateway.s_addr) == 0x0a2a0001, "gateway");
	check(config.reserved_count == 2 && ntohl(config.reserved[1].s_addr) == 0x0a2a00fe,
	      "reserved, the gateway's before it");
	check(config_version_at_least(&config, "0.3.1") &&
	          config_version_at_least(&config, "0.4.0"),
	      "at least itself and older");
	check(!config_version_at_least(&config, "1.0.0"), "not at least newer");
	json_free(&json);
}

static void reads_a_gateway(void)
{
	struct cni_error error;
	struct config config;
	struct json json;

	check_number(read_config("{\"gatewaySocket\":\"/run/g\"," GOOD "}", &json, &config, &error),
	             0, "it is read");
	check_text(config.gateway_socket, "/run/g", "gatewaySocket");
	json_free(&json);
	check_number(read_config("{\"gatewaySocket\":\"\"," GOOD "}", &json, &config, &error),
	             -EINVAL, "an empty one is not");
	json_free(&json);
}

static void reads_a_shared_wire(void)
{
	struct cni_error error;
	struct config config;
	struct json json;

	check_number(read_config("{" GOOD "}", &json, &config, &error), 0, "one without is read");
	check(config.bridge_netns == NULL && config.prefix == 24, "the subnet is all there is");
	json_free(&json);
	check_number(read_config("{\"network\":\"10.42.0.0/16\",\"bridgeNetns\":\"/run/wire\"," GOOD
	                         "}",
	                         &json, &config, &error),
	             0, "it is read");
	check_text(config.bridge_netns, "/run/wire", "bridgeNetns");
	check(config.prefix == 16 && config.subnet.prefix == 24, "network");
	json_free(&json);
	check_number(read_config("{\"network\":\"10.43.0.0/16\"," GOOD "}", &json, &config, &error),
	             -EINVAL, "a network without the subnet is not");
	check_text(error.failure.message, "Bad \"network\" 10.43.0.0/16: the subnet is not in it",
	           "says so");
	json_free(&json);
	check_number(read_config("{\"network\":\"10.42.0.0/25\"," GOOD "}", &json, &config, &error),
	             -EINVAL, "nor is one smaller than it");
	json_free(&json);
}

static void refuses(void)
{
	static const struct {
		const char *text;
		enum cni_code code;
		const char *message;
	} table[] = {
	    {"[]", CNI_INVALID_CONFIG, "Bad network configuration: expected an object"},
	    {"{}", CNI_INVALID_CONFIG,
	     "Bad network configuration: \"type\" must be a string and not empty"},
	    {"{\"type\":\"bridge\"}", CNI_INVALID_CONFIG,
	     "Unknown type bridge: expected gvisor-bridge or loopback"},
	    {"{\"cniVersion\":\"2.0.0\",\"type\":\"loopback\"}", CNI_INCOMPATIBLE_VERSION,
	     "Unknown cniVersion 2.0.0: expected 0.3.1 to 1.1.0"},
	    {"{\"cniVersion\":1,\"type\":\"loopback\"}", CNI_INCOMPATIBLE_VERSION,
	     "Unknown cniVersion that is no string: expected 0.3.1 to 1.1.0"},
	    {"{\"type\":\"gvisor-bridge\",\"subnet\":\"10.42.0.0/24\"}", CNI_INVALID_CONFIG,
	     "Bad network configuration: \"gateway\" must be a string and not empty"},
	    {"{\"type\":\"gvisor-bridge\",\"bridge\":\"b\",\"dataDir\":\"d\",\"gateway\":\"g\","
	     "\"subnet\":\"10.42.0.0/24\"}",
	     CNI_INVALID_CONFIG, "Bad \"gateway\" g: expected an IPv4 address"},
	    {"{\"type\":\"gvisor-bridge\",\"bridge\":\"b\",\"dataDir\":\"d\","
	     "\"gateway\":\"10.42.0.1\",\"subnet\":\"10.42.0.1/24\"}",
	     CNI_INVALID_CONFIG,
	     "Bad \"subnet\" 10.42.0.1/24: expected one such as 10.42.0.0/24, at most /30"},
	    {"{\"type\":\"gvisor-bridge\",\"bridge\":\"b\",\"dataDir\":\"d\","
	     "\"gateway\":\"10.42.0.1\",\"subnet\":\"10.42.0.0/31\"}",
	     CNI_INVALID_CONFIG,
	     "Bad \"subnet\" 10.42.0.0/31: expected one such as 10.42.0.0/24, at most /30"},
	    {"{\"reserved\":{}," GOOD "}", CNI_INVALID_CONFIG,
	     "Bad \"reserved\": expected a list of addresses"},
	    {"{\"reserved\":[1]," GOOD "}", CNI_INVALID_CONFIG,
	     "Bad \"reserved\" : expected an IPv4 address"},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct cni_error error;
		struct config config;
		struct json json;

		check(read_config(table[i].text, &json, &config, &error) < 0, "%s", table[i].text);
		check_number(error.code, table[i].code, "code");
		check_text(error.failure.message, table[i].message, "message");
		json_free(&json);
	}
}

int main(void)
{
	reads_a_bridge();
	reads_a_gateway();
	reads_a_shared_wire();
	refuses();
	return tap_done();
}
