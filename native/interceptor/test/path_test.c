#include "interceptor/path.h"

#include "lib/test/tap.h"

#include <errno.h>

static void resolves(void)
{
	static const struct {
		const char *base, *path;
		int result;
		const char *text;
		bool is_directory;
	} table[] = {
	    {"/", "/proc/sys/kernel/panic", 0, "/proc/sys/kernel/panic", false},
	    {"/", "//proc/./sys///kernel/panic", 0, "/proc/sys/kernel/panic", false},
	    {"/", "/proc/sys/kernel/", 0, "/proc/sys/kernel", true},
	    {"/", "/proc/sys/kernel/.", 0, "/proc/sys/kernel", true},
	    {"/", "/proc/sys/vm/..", 0, "/proc/sys", true},
	    {"/", "/proc/sys/vm/../kernel/panic", 0, "/proc/sys/kernel/panic", false},
	    {"/", "/proc/sys/../../../proc/sys/vm", 0, "/proc/sys/vm", false},
	    {"/proc/sys", "kernel/panic", 0, "/proc/sys/kernel/panic", false},
	    {"/proc/sys/vm", "../kernel/panic", 0, "/proc/sys/kernel/panic", false},
	    {"/a/b", "../../proc/sys/vm", 0, "/proc/sys/vm", false},
	    {"/a/b", "..", 0, "/a", true},
	    {"/a", "..", 0, "/", true},
	    {"/", "..", 0, "/", true},
	    {"/", "/", 0, "/", true},
	    {"/", ".", 0, "/", true},
	    {"/", "...", 0, "/...", false},
	    {"/", "/proc/sysx/..", -EINVAL, NULL, false},
	    /* /tmp/link may lead anywhere, and then so does /tmp/link/.. */
	    {"/", "/tmp/link/../proc/sys/vm", -EINVAL, NULL, false},
	    {"/a", "link/../proc", -EINVAL, NULL, false},
	    {"/proc", "self/../sys/vm", -EINVAL, NULL, false},
	    /* /proc/PID/fd/N of a pipe, or of a directory that is gone from every mount. */
	    {"pipe:[1]", "x", -EINVAL, NULL, false},
	    {"(unreachable)/x", "y", -EINVAL, NULL, false},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		char text[64];
		struct resolved resolved = {.text = text, .size = sizeof text};

		check_number(path_resolve(table[i].base, table[i].path, &resolved), table[i].result,
		             table[i].path);
		if (table[i].result != 0)
			continue;
		check_text(text, table[i].text, table[i].path);
		check_number(resolved.is_directory, table[i].is_directory, "is a directory");
	}
}

static void fits(void)
{
	static const struct {
		const char *base, *path;
	} table[] = {{"/", "/abcdef"}, {"/abc", "def"}, {"/abcdefgh", "x"}, {"/abcdefg", "."}};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		char text[9] = "";
		struct resolved resolved = {.text = text, .size = 7};

		check_number(path_resolve(table[i].base, table[i].path, &resolved), -ENAMETOOLONG,
		             table[i].path);
		check(text[7] == 0 && text[8] == 0, "nothing is written beyond the end");
	}
}

static void takes_apart(void)
{
	size_t length;

	check(strncmp(path_last("/a/bc/", &length), "bc", 2) == 0 && length == 2, "last of /a/bc/");
	check(strncmp(path_last("abc", &length), "abc", 3) == 0 && length == 3, "last of abc");
	path_last("/", &length);
	check(length == 0, "last of /");
	check_text(path_below("/proc/sys/vm", "/proc/sys"), "/vm", "below");
	check_text(path_below("/proc/sys", "/proc/sys"), "", "the directory itself");
	check(path_below("/proc/sysx", "/proc/sys") == NULL, "not below");
}

int main(void)
{
	resolves();
	fits();
	takes_apart();
	return tap_done();
}
