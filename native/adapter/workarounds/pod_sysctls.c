/*
 * A pod's securityContext.sysctls. runc writes them to the files in /proc/sys, of which gVisor has
 * few; those below net that can be written are the whole sandbox's, the runner included. So nothing
 * is written: the pod is shown what it asked for where that is as good, and refused where it is
 * not.
 */
#include "adapter/workaround.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is as good without the setting, and why. */
static const struct {
	const char *name, *why;
} granted[] = {
    {"kernel.shm_rmid_forced", "shared memory ends with the pod"},
    {"net.core.somaxconn", "a server's queue is as long as it asks for, up to 1024"},
    {"net.ipv4.ip_local_port_range", "ports from 16000 up are chosen from"},
    {"net.ipv4.ip_local_reserved_ports", "a port that a server listens on is not chosen"},
    {"net.ipv4.ip_unprivileged_port_start", "every user may listen on every port"},
    {"net.ipv4.ping_group_range", "every group may send echo requests"},
    {"net.ipv4.tcp_fin_timeout", "it tunes, and gVisor's own time is taken"},
    {"net.ipv4.tcp_keepalive_intvl", "it tunes, and a socket's own option counts"},
    {"net.ipv4.tcp_keepalive_probes", "it tunes, and a socket's own option counts"},
    {"net.ipv4.tcp_keepalive_time", "it tunes, and a socket's own option counts"},
    {"net.ipv4.tcp_max_syn_backlog", "it tunes, and gVisor's own limit is taken"},
    {"net.ipv4.tcp_rmem", "it tunes, and gVisor's own sizes are taken"},
    {"net.ipv4.tcp_slow_start_after_idle", "it tunes, and gVisor's own way is taken"},
    {"net.ipv4.tcp_syncookies", "gVisor uses them by itself"},
    {"net.ipv4.tcp_tw_reuse", "it tunes, and gVisor's own way is taken"},
    {"net.ipv4.tcp_wmem", "it tunes, and gVisor's own sizes are taken"},
};

static const char *why_granted(const char *name)
{
	for (size_t i = 0; i < sizeof granted / sizeof granted[0]; i++)
		if (strcmp(granted[i].name, name) == 0)
			return granted[i].why;
	return NULL;
}

/* The name with dots, as Kubernetes writes it, as a path; false for what is no name. */
static bool path_of(const char *name, char *out, size_t size)
{
	size_t length = strlen(name);

	if (length == 0 || length >= size)
		return false;
	for (size_t i = 0; i <= length; i++) {
		out[i] = name[i];
		if (name[i] == '.' || name[i] == '/')
			out[i] = '/';
		else if (name[i] != '\0' && !isalnum((unsigned char)name[i]) && name[i] != '_' &&
		         name[i] != '-')
			return false;
	}
	return out[0] != '/' && out[length - 1] != '/' && strstr(out, "//") == NULL;
}

/* Whether the texts are as many numbers, and none asked for is larger than the one there is. */
static bool is_enough(const char *present, const char *asked)
{
	size_t count = 0;

	for (;; count++) {
		char *present_end, *asked_end;
		long long have = strtoll(present, &present_end, 10);
		long long want = strtoll(asked, &asked_end, 10);

		if (present_end == present || asked_end == asked)
			return count > 0 && present[strspn(present, " \t\n")] == '\0' &&
			       asked[strspn(asked, " \t\n")] == '\0';
		if (want > have)
			return false;
		present = present_end;
		asked = asked_end;
	}
}

static int show(struct adaptation *adaptation, const char *path, const char *value,
                struct failure *failure)
{
	struct shown_sysctl *shown = &adaptation->shown[adaptation->shown_count];

	if (adaptation->shown_count == SHOWN_SYSCTLS)
		return fail_input(failure, "Too many sysctls: at most %d", SHOWN_SYSCTLS);
	if ((size_t)snprintf(shown->path, sizeof shown->path, "%s", path) >= sizeof shown->path ||
	    (size_t)snprintf(shown->value, sizeof shown->value, "%s", value) >= sizeof shown->value)
		return fail_input(failure, "Bad sysctl %s: too long", path);
	adaptation->shown_count++;
	return 0;
}

static int grant(struct adaptation *adaptation, const struct json_value *sysctl,
                 struct failure *failure)
{
	const char *name = sysctl->name, *value = sysctl->type == JSON_STRING ? sysctl->text : "";
	char path[sizeof adaptation->shown->path], present[256];
	const char *why = why_granted(name);
	int result;

	if (!path_of(name, path, sizeof path))
		return fail_input(failure, "Bad sysctl \"%.64s\": expected a name such as %s", name,
		                  granted[0].name);
	if (why == NULL && adaptation->kernel->read_sysctl(path, present, sizeof present) == 0 &&
	    is_enough(present, value))
		why = "gVisor has as much already";
	if (why == NULL)
		return fail_input(
		    failure,
		    "The pod asks for sysctl %.64s=%.64s in its securityContext, which gVisor "
		    "cannot "
		    "give to a pod: take it out, or run this chart on another kind of node",
		    name, value);
	result = show(adaptation, path, value, failure);
	return result != 0 ? result
	                   : adaptation_note(adaptation, failure,
	                                     "sysctl %.64s=%.64s is shown and not set: %s", name,
	                                     value, why);
}

int pod_sysctls(struct adaptation *adaptation, struct failure *failure)
{
	const struct json_value *sysctls = adaptation->container->sysctls;

	if (adaptation->pod_shows_sysctls && !adaptation->container->is_sandbox)
		adaptation->needs_sysctls = true;
	if (json_first(adaptation->json, sysctls) == NULL)
		return 0;
	for (const struct json_value *sysctl = json_first(adaptation->json, sysctls);
	     sysctl != NULL; sysctl = json_next(adaptation->json, sysctl)) {
		int result = grant(adaptation, sysctl, failure);

		if (result != 0)
			return result;
	}
	if (edits_replace(&adaptation->edits, sysctls, "{}") != 0)
		return fail(failure, ENOMEM, "take the sysctls out");
	return 0;
}
