#include "interceptor/mountinfo.h"

#include "lib/test/tap.h"

#include <stdlib.h>

static void shares(void)
{
	static const struct {
		const char *text, *shared;
	} table[] = {
	    {"", ""},
	    {"18 17 0:20 / / rw - overlay none rw\n",
	     "18 17 0:20 / / rw shared:1 - overlay none rw\n"},
	    {"18 17 0:20 / / rw shared:7 - overlay none rw\n", NULL},
	    {"18 17 0:20 / / rw master:3 - overlay none rw\n",
	     "18 17 0:20 / / rw master:3 shared:1 - overlay none rw\n"},
	    {"18 17 0:20 / / rw master:3 shared:4 - overlay none rw\n", NULL},
	    {"18 17 0:20 / / rw unbindable - overlay none rw\n", NULL},
	    /* A mount point, a source and options that look like fields. */
	    {"18 17 0:20 / /shared:1 rw - 9p shared:1 rw,shared:1\n",
	     "18 17 0:20 / /shared:1 rw shared:1 - 9p shared:1 rw,shared:1\n"},
	    {"1 0 0:1 / / rw - a b c\n2 1 0:2 / /p rw shared:2 - a b c\n3 1 0:3 / /q rw - a b c\n",
	     "1 0 0:1 / / rw shared:1 - a b c\n2 1 0:2 / /p rw shared:2 - a b c\n"
	     "3 1 0:3 / /q rw shared:1 - a b c\n"},
	    {"1 0 0:1 / / rw - a b c", "1 0 0:1 / / rw shared:1 - a b c"},
	    {"no mountinfo\n", NULL},
	    {"\n\n", NULL},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		const char *text = table[i].text;
		size_t length = strlen(text);
		char *out = malloc(mountinfo_room(text, length) + 1);

		out[mountinfo_share(text, length, out)] = '\0';
		check_text(out, table[i].shared == NULL ? text : table[i].shared, text);
		free(out);
	}
}

static void recognises(void)
{
	static const struct {
		const char *path, *process;
	} table[] = {
	    {"/proc/self/mountinfo", "self"},
	    {"/proc/thread-self/mountinfo", "thread-self"},
	    {"/proc/17/mountinfo", "17"},
	    {"/proc/17/task/18/mountinfo", "17/task/18"},
	    {"/proc/self/task/18/mountinfo", "self/task/18"},
	    {"/proc/mountinfo", NULL},
	    {"/proc/self/mounts", NULL},
	    {"/proc/self/mountinfo/x", NULL},
	    {"/proc/selfish/mountinfo", NULL},
	    {"/proc/17x/mountinfo", NULL},
	    {"/proc/17/task/mountinfo", NULL},
	    {"/process/17/mountinfo", NULL},
	    {"/proc", NULL},
	    {"/proc/", NULL},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		const char *process;
		char text[32] = "";
		size_t length;
		bool found = mountinfo_path(table[i].path, &process, &length);

		check_number(found, table[i].process != NULL, table[i].path);
		if (found)
			memcpy(text, process, length);
		check_text(text, table[i].process == NULL ? "" : table[i].process, table[i].path);
	}
}

int main(void)
{
	shares();
	recognises();
	return tap_done();
}
