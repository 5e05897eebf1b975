#include "adapter/adapt.h"
#include "adapter/workaround.h"

#include "lib/test/tap.h"

#include <errno.h>
#include <stdlib.h>

#define POD                                                                                        \
	"\"annotations\":{\"io.kubernetes.cri.sandbox-id\":\"s\","                                 \
	"\"io.kubernetes.cri.sandbox-namespace\":\"default\","                                     \
	"\"io.kubernetes.cri.sandbox-name\":\"web\",\"io.kubernetes.cri.container-type\":"
#define SANDBOX "{" POD "\"sandbox\"}"
#define CONTAINER "{" POD "\"container\"}"
#define READ_ONLY "\"readonlyPaths\":[\"/proc/sys\"]"

/* gVisor's values. */
static int read_sysctl(const char *path, char *out, size_t size)
{
	if (strcmp(path, "kernel/sem") != 0 && strcmp(path, "kernel/shmmax") != 0)
		return -ENOENT;
	snprintf(out, size, "%s",
	         strcmp(path, "kernel/sem") == 0 ? "32000\t1024000000\t500\t32000\n"
	                                         : "18446744073692774399\n");
	return 0;
}

static bool is_empty_directory(const char *path)
{
	return strcmp(path, "/sys/firmware") == 0;
}

static const struct kernel kernel = {read_sysctl, is_empty_directory};
static const struct settings settings = {
    .workarounds = {"masked-directories", "one-id", "pod-sysctls", "private-sysctls"},
    .workaround_count = 4,
};

struct outcome {
	const char *changed; /* NULL: unchanged */
	const char *refused; /* NULL: granted */
	const char *note;
	const char *shown; /* PATH=VALUE of the first */
	bool needs_sysctls, needs_writable_sysctls;
};

static void check_outcome(const char *source, bool pod_shows, const struct outcome *expected)
{
	struct failure failure = {0};
	struct json json = {0};
	struct container container;
	struct adaptation adaptation;
	char shown[400] = "";
	size_t size;
	char *changed;

	check_number(json_parse(source, strlen(source), &json, &failure), 0, source);
	container = container_of(&json, "c");
	adaptation = (struct adaptation){
	    .json = &json,
	    .container = &container,
	    .kernel = &kernel,
	    .pod_shows_sysctls = pod_shows,
	    .edits = {.json = &json},
	};
	check_number(adapt_decide(&settings, &adaptation, &failure),
	             expected->refused == NULL ? 0 : -EINVAL, "verdict");
	check_text(failure.message, expected->refused == NULL ? "" : expected->refused, "refusal");
	if (expected->refused == NULL) {
		changed = edits_apply(&adaptation.edits, strlen(source), &size);
		check_text(changed, expected->changed == NULL ? source : expected->changed, "text");
		free(changed);
	}
	check_text(adaptation.notes.count == 0 ? "" : adaptation.notes.items[0],
	           expected->note == NULL ? "" : expected->note, "note");
	if (adaptation.shown_count > 0)
		snprintf(shown, sizeof shown, "%s=%s", adaptation.shown[0].path,
		         adaptation.shown[0].value);
	check_text(shown, expected->shown == NULL ? "" : expected->shown, "shown");
	check(adaptation.needs_sysctls == expected->needs_sysctls, "needs sysctls");
	check(adaptation.needs_writable_sysctls == expected->needs_writable_sysctls,
	      "needs sysctls to write to");
	adaptation_free(&adaptation);
	json_free(&json);
}

#define REFUSED(sysctl)                                                                            \
	"The pod asks for sysctl " sysctl                                                          \
	" in its securityContext, which gVisor cannot give to a pod: take it out, or run this "    \
	"chart on another kind of node"

static void adds_hooks(void)
{
	static const struct {
		const char *before, *after;
	} table[] = {
	    {"{}", "{\"hooks\":{\"createContainer\":[{}]}}"},
	    {"{ \"a\" : 1 }", "{ \"a\" : 1 ,\"hooks\":{\"createContainer\":[{}]}}"},
	    {"{\"hooks\":{}}", "{\"hooks\":{\"createContainer\":[{}]}}"},
	    {"{\"hooks\":{\"poststop\":[]}}",
	     "{\"hooks\":{\"poststop\":[],\"createContainer\":[{}]}}"},
	    {"{\"hooks\":{\"createContainer\":[]}}", "{\"hooks\":{\"createContainer\":[{}]}}"},
	    {"{\"hooks\":null,\"a\":1}", "{\"hooks\":{\"createContainer\":[{}]},\"a\":1}"},
	    {"{\"hooks\":{\"createContainer\":null}}", "{\"hooks\":{\"createContainer\":[{}]}}"},
	    {"{\"hooks\":{\"createContainer\":[0]}}", "{\"hooks\":{\"createContainer\":[0,{}]}}"},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		const char *source = table[i].before;
		struct failure failure;
		struct json json;
		size_t size;
		char *changed;

		json_parse(source, strlen(source), &json, &failure);
		const struct container container = container_of(&json, "c");
		struct adaptation adaptation = {
		    .json = &json, .container = &container, .edits = {.json = &json}};
		check_number(adapt_add_hook(&adaptation, "{}"), 0, source);
		changed = edits_apply(&adaptation.edits, strlen(source), &size);
		check_text(changed, table[i].after, "hook");
		check_number((long)size, (long)strlen(changed), "size");
		free(changed);
		adaptation_free(&adaptation);
		json_free(&json);
	}
}

int main(void)
{
	static const struct {
		const char *source;
		bool pod_shows;
		struct outcome expected;
	} table[] = {
	    /* Ordinary containers are left alone, to the byte. */
	    {"{\"ociVersion\" : \"1.2.0\", \"linux\":{" READ_ONLY "} , " POD "\"container\"}}",
	     false,
	     {0}},
	    {"{\"linux\":{\"sysctl\":{}," READ_ONLY "}," POD "\"sandbox\"}}", false, {0}},
	    {"{}", false, {0}},
	    {"[]", false, {0}},
	    /* pod-sysctls */
	    {"{\"linux\":{\"sysctl\":{\"net.ipv4.ip_unprivileged_port_start\":\"0\"}}," POD
	     "\"sandbox\"}}",
	     false,
	     {.changed = "{\"linux\":{\"sysctl\":{}}," POD "\"sandbox\"}}",
	      .note = "pod default/web: sysctl net.ipv4.ip_unprivileged_port_start=0 is shown and "
	              "not set: every user may listen on every port",
	      .shown = "net/ipv4/ip_unprivileged_port_start=0"}},
	    {"{\"linux\":{\"sysctl\":{\"kernel.shmmax\":\"68719476736\"}}," POD "\"sandbox\"}}",
	     false,
	     {.changed = "{\"linux\":{\"sysctl\":{}}," POD "\"sandbox\"}}",
	      .note = "pod default/web: sysctl kernel.shmmax=68719476736 is shown and not set: "
	              "gVisor has as much already",
	      .shown = "kernel/shmmax=68719476736"}},
	    {"{\"linux\":{\"sysctl\":{\"kernel.sem\":\"250 32000 100 128\"}}," POD "\"sandbox\"}}",
	     false,
	     {.changed = "{\"linux\":{\"sysctl\":{}}," POD "\"sandbox\"}}",
	      .note = "pod default/web: sysctl kernel.sem=250 32000 100 128 is shown and not set: "
	              "gVisor has as much already",
	      .shown = "kernel/sem=250 32000 100 128"}},
	    {"{\"linux\":{\"sysctl\":{\"kernel.sem\":\"250 32000 501 128\"}}," POD "\"sandbox\"}}",
	     false,
	     {.refused = REFUSED("kernel.sem=250 32000 501 128")}},
	    {"{\"linux\":{\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"}}," POD "\"sandbox\"}}",
	     false,
	     {.refused = REFUSED("net.ipv4.ip_forward=1")}},
	    {"{\"linux\":{\"sysctl\":{\"net..x\":\"1\"}}," POD "\"sandbox\"}}",
	     false,
	     {.refused = "Bad sysctl \"net..x\": expected a name such as kernel.shm_rmid_forced"}},
	    {"{\"linux\":{\"sysctl\":{\"../x\":\"1\"}}," POD "\"sandbox\"}}",
	     false,
	     {.refused = "Bad sysctl \"../x\": expected a name such as kernel.shm_rmid_forced"}},
	    {"{\"linux\":{" READ_ONLY "}," POD "\"container\"}}", true, {.needs_sysctls = true}},
	    {"{\"linux\":{" READ_ONLY "}," POD "\"sandbox\"}}", true, {0}},
	    /* private-sysctls */
	    {"{\"linux\":{}," POD "\"container\"}}", false, {.needs_writable_sysctls = true}},
	    {"{\"linux\":{\"readonlyPaths\":[\"/proc/bus\"]}," POD "\"container\"}}",
	     true,
	     {.needs_sysctls = true, .needs_writable_sysctls = true}},
	    {"{\"linux\":{}," POD "\"sandbox\"}}", false, {0}},
	    {"{\"linux\":{}}", false, {0}},
	    /* masked-directories */
	    {"{\"linux\":{\"maskedPaths\":[\"/proc/kcore\", \"/sys/firmware\" ,\"/proc/keys\"]}}",
	     false,
	     {.changed = "{\"linux\":{\"maskedPaths\":[\"/proc/kcore\",\"/proc/keys\"]}}"}},
	    {"{\"linux\":{\"maskedPaths\":[\"/sys/firmware\"]}}",
	     false,
	     {.changed = "{\"linux\":{\"maskedPaths\":[]}}"}},
	    {"{\"linux\":{\"maskedPaths\":[\"/proc/kcore\"]}}", false, {0}},
	    /* one-id */
	    {"{\"mounts\":[{\"options\":[\"nosuid\", \"gid=5\",\"mode=0620\"]},{\"options\":[\"ro\"]}]}",
	     false,
	     {.changed = "{\"mounts\":[{\"options\":[\"nosuid\",\"mode=0620\"]},"
	                 "{\"options\":[\"ro\"]}]}"}},
	    {"{\"mounts\":[{\"options\":[\"gid=5\"]},{\"options\":null},{},0]}",
	     false,
	     {.changed = "{\"mounts\":[{\"options\":[]},{\"options\":null},{},0]}"}},
	    {"{\"mounts\":[{\"options\":[5,\"guid=5\"]}]}", false, {0}},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		check_outcome(table[i].source, table[i].pod_shows, &table[i].expected);
	adds_hooks();
	return tap_done();
}
