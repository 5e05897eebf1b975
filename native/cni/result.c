#include "cni/result.h"

#include "lib/json_print.h"

#include <arpa/inet.h>

/* mtu is new in 1.1.0; netns is NULL for a link on the node. */
static void print_interface(FILE *stream, const struct config *config, const char *name,
                            const unsigned char *mac, uint32_t mtu, const char *netns)
{
	char text[LINK_ADDRESS_TEXT_SIZE];

	link_address_text(mac, text);
	fputs("{\"name\":", stream);
	json_print_string(stream, name);
	fprintf(stream, ",\"mac\":\"%s\"", text);
	if (config_version_at_least(config, "1.1.0") && mtu != 0)
		fprintf(stream, ",\"mtu\":%u", mtu);
	if (netns != NULL) {
		fputs(",\"sandbox\":", stream);
		json_print_string(stream, netns);
	}
	fputc('}', stream);
}

/* The family of an address had to be told until 1.0.0. */
static const char *family(const struct config *config)
{
	return config_version_at_least(config, "1.0.0") ? "" : "\"version\":\"4\",";
}

static void print_start(FILE *stream, const char *version)
{
	fputs("{\"cniVersion\":", stream);
	json_print_string(stream, version);
}

static void print_dns(FILE *stream, const struct json *json)
{
	const struct json_value *dns = json_member(json, json->values, "dns");

	if (dns == NULL)
		fputs("{}", stream);
	else
		fwrite(json->source + dns->start, 1, dns->end - dns->start, stream);
}

void result_print_bridge(FILE *stream, const struct json *json, const struct config *config,
                         const struct link *bridge, const struct pod *pod)
{
	char address[INET_ADDRSTRLEN], gateway[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &pod->address.address, address, sizeof address);
	inet_ntop(AF_INET, &pod->gateway, gateway, sizeof gateway);
	print_start(stream, config->version);
	fputs(",\"interfaces\":[", stream);
	print_interface(stream, config, bridge->name, bridge->address, bridge->mtu, NULL);
	fputc(',', stream);
	print_interface(stream, config, pod->port, pod->port_mac, bridge->mtu, NULL);
	fputc(',', stream);
	print_interface(stream, config, pod->interface, pod->mac, bridge->mtu, pod->netns);
	fprintf(stream,
	        "],\"ips\":[{%s\"address\":\"%s/%u\",\"gateway\":\"%s\",\"interface\":2}],"
	        "\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"%s\"}],\"dns\":",
	        family(config), address, pod->address.prefix, gateway, gateway);
	print_dns(stream, json);
	fputs("}\n", stream);
}

void result_print_loopback(FILE *stream, const struct config *config, const char *netns)
{
	static const unsigned char none[LINK_ADDRESS_SIZE];

	print_start(stream, config->version);
	fputs(",\"interfaces\":[", stream);
	print_interface(stream, config, "lo", none, 0, netns);
	fprintf(stream, "],\"ips\":[{%s\"address\":\"127.0.0.1/8\",\"interface\":0}],\"dns\":{}}\n",
	        family(config));
}

void result_print_versions(FILE *stream, const char *version)
{
	print_start(stream, version);
	fputs(",\"supportedVersions\":[", stream);
	for (const char *const *next = cni_versions; *next != NULL; next++) {
		if (next != cni_versions)
			fputc(',', stream);
		json_print_string(stream, *next);
	}
	fputs("]}\n", stream);
}

void result_print_error(FILE *stream, const char *version, const struct cni_error *error)
{
	print_start(stream, version);
	fprintf(stream, ",\"code\":%d,\"msg\":", (int)error->code);
	json_print_string(stream, error->failure.message);
	fputs("}\n", stream);
}
