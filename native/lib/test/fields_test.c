#include "lib/fields.h"

#include "lib/test/tap.h"

#include <errno.h>

static void splits(void)
{
	static const struct {
		const char *line;
		int count;
		const char *fields[3];
	} table[] = {
	    {"one", 1, {"one"}},
	    {"", 1, {""}},
	    {"a\tb\tc", 3, {"a", "b", "c"}},
	    {"a\t\tc", 3, {"a", "", "c"}},
	    {"a\t", 2, {"a", ""}},
	    {"a b\\tc\\nd\\\\e", 1, {"a b\tc\nd\\e"}},
	    {"a\tb\tc\td", -E2BIG, {0}},
	    {"a\\x", -EINVAL, {0}},
	    {"a\\", -EINVAL, {0}},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		char line[64];
		char *fields[3];

		strcpy(line, table[i].line);
		check_number(fields_split(line, fields, 3), table[i].count, "number of fields");
		for (int f = 0; f < table[i].count; f++)
			check_text(fields[f], table[i].fields[f], "field");
	}
}

static void escapes_what_it_splits(void)
{
	const char *text = "tab\t newline\n backslash\\ end\\";
	char escaped[64];
	char *field;

	check_number(fields_escape(text, escaped, sizeof escaped), 33, "length of the escaped");
	check(strpbrk(escaped, "\t\n") == NULL, "no separator is left");
	check_number(fields_split(escaped, &field, 1), 1, "it is one field");
	check_text(field, text, "there and back again");
	check_number(fields_escape("abcdef", escaped, 6), -ENAMETOOLONG, "too long");
}

int main(void)
{
	splits();
	escapes_what_it_splits();
	return tap_done();
}
