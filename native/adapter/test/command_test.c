#include "adapter/command.h"

#include "lib/test/tap.h"

#define MAXIMUM 16

int main(void)
{
	static const struct {
		const char *arguments[MAXIMUM];
		struct command expected;
	} table[] = {
	    {{"--root", "/run/runc", "--log", "/l.json", "--log-format", "json", "create",
	      "--bundle", "/b", "--pid-file", "/p", "c1"},
	     {COMMAND_CREATE, "/l.json", "/b", "c1"}},
	    {{"--log=/l.json", "create", "-b", "/b", "--no-pivot", "c1"},
	     {COMMAND_CREATE, "/l.json", "/b", "c1"}},
	    {{"--debug", "--systemd-cgroup", "create", "--bundle=/b", "--console-socket", "/s",
	      "c1"},
	     {COMMAND_CREATE, NULL, "/b", "c1"}},
	    {{"create", "c1"}, {COMMAND_CREATE, NULL, ".", "c1"}},
	    {{"--root", "create", "delete", "--force", "c1"}, {COMMAND_DELETE, NULL, ".", "c1"}},
	    {{"--root", "/r", "exec", "--process", "/p", "create"},
	     {COMMAND_OTHER, NULL, ".", "create"}},
	    {{"create"}, {COMMAND_CREATE, NULL, ".", NULL}},
	    {{"create", "c1", "--bundle"}, {COMMAND_OTHER, NULL, NULL, NULL}},
	    {{"--version"}, {COMMAND_OTHER, NULL, ".", NULL}},
	    {{NULL}, {COMMAND_OTHER, NULL, ".", NULL}},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		const struct command *expected = &table[i].expected;
		struct command command = command_read(table[i].arguments);

		check_number(command.kind, expected->kind, "kind");
		check_text(command.log == NULL ? "-" : command.log,
		           expected->log == NULL ? "-" : expected->log, "log");
		check_text(command.bundle == NULL ? "-" : command.bundle,
		           expected->bundle == NULL ? "-" : expected->bundle, "bundle");
		check_text(command.id == NULL ? "-" : command.id,
		           expected->id == NULL ? "-" : expected->id, "id");
	}
	return tap_done();
}
