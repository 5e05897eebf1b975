#include "adapter/settings.h"

#include "lib/test/tap.h"

#include <errno.h>

static int read(const char *text, struct settings *settings, struct failure *failure)
{
	static char copy[512];

	snprintf(copy, sizeof copy, "%s", text);
	return settings_read(copy, settings, failure);
}

int main(void)
{
	static const struct {
		const char *text, *message;
	} bad[] = {
	    {"", "Missing setting: expected state, log and sysctls"},
	    {"state\t/s\nlog\t/l\n", "Missing setting: expected state, log and sysctls"},
	    {"state\n", "Bad setting \"state\": expected a name and a value"},
	    {"colour\tblue\n", "Unexpected setting \"colour\""},
	};
	struct settings settings;
	struct failure failure;

	check_number(read("state\t/s\nlog\t/a\\tb\nsysctls\t/y\nworkaround\tx\nworkaround\ty\n",
	                  &settings, &failure),
	             0, "reads");
	check_text(settings.state, "/s", "state");
	check_text(settings.log, "/a\tb", "log");
	check_text(settings.sysctls, "/y", "sysctls");
	check(settings_have(&settings, "x") && settings_have(&settings, "y"), "workarounds");
	check(!settings_have(&settings, "z"), "no other");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		check_number(read(bad[i].text, &settings, &failure), -EINVAL, bad[i].text);
		check_text(failure.message, bad[i].message, "message");
	}
	return tap_done();
}
