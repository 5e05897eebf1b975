/* Which handler a path is for, given a tree; no kernel is asked. */
#include "interceptor/selection.h"

#include "lib/test/tap.h"

#include <stdint.h>

static const char *const paths[] = {"/dev/kmsg", "/etc/machine-id", "/proc/sys/kernel/panic",
                                    "/proc/sys/net/ipv4/conf",
                                    "/proc/sys/net/ipv4/conf/all/forwarding"};

static struct selection selection = {
    .answers = {.root = "/r", .paths.count = sizeof paths / sizeof paths[0]},
    .handlers = {&sysctl_handler, &kmsg_handler, &mountinfo_handler, &given_handler},
    .count = 4,
};

static void finds(void)
{
	static const struct {
		const char *path;
		enum call_kind kind;
		const char *handler;
	} table[] = {
	    {"/proc/sys/kernel/panic", CALL_OPEN, "sysctl"},
	    {"/proc/sys/kernel/panic", CALL_STATFS, "sysctl"},
	    {"/proc/sys/net/ipv4/conf", CALL_CHDIR, "sysctl"},
	    {"/proc/sys/kernel", CALL_OPEN, NULL},
	    {"/proc/sys/kernel/ostype", CALL_OPEN, NULL},
	    {"/proc/sys/kernel/panic_on_oops", CALL_OPEN, NULL},
	    {"/dev/kmsg", CALL_OPEN, "kmsg"},
	    {"/proc/self/mountinfo", CALL_OPEN, "mountinfo"},
	    {"/proc/self/mountinfo", CALL_STAT, NULL},
	    {"/etc/machine-id", CALL_OPEN, "given"},
	    {"/etc/machine", CALL_OPEN, NULL},
	    {"/", CALL_OPEN, NULL},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		int index = selection_find(&selection, table[i].kind, table[i].path);

		check_text(index < 0 ? "nobody" : selection.handlers[index]->name,
		           table[i].handler == NULL ? "nobody" : table[i].handler, table[i].path);
		if (index >= 0)
			check(selection_may_match(&selection, table[i].path),
			      "%s passes the first test", table[i].path);
	}
}

static void rejects_early(void)
{
	static const char *const others[] = {"/usr/lib/libc.so.6", "panic_on_oops", "x/panicky",
	                                     "/etc/passwd"};
	static const char *const possible[] = {"panic", "../panic", "a/panic/", "x/mountinfo",
	                                       "..",    ".",        "/",        "x/.."};

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		check(!selection_may_match(&selection, others[i]), "%s is rejected", others[i]);
	for (size_t i = 0; i < sizeof possible / sizeof possible[0]; i++)
		check(selection_may_match(&selection, possible[i]), "%s is possible", possible[i]);
}

int main(void)
{
	selection.answers.paths.items = (char **)(uintptr_t)paths;
	finds();
	rejects_early();
	return tap_done();
}
