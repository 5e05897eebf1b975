#include "lib/json.h"

#include "lib/test/tap.h"

#include <errno.h>

static void accepts(void)
{
	static const char *const table[] = {
	    "null",
	    " true ",
	    "false",
	    "0",
	    "-0",
	    "12.5e+3",
	    "1E-2",
	    "\"\"",
	    "[]",
	    "{}",
	    "[1,[2,{\"a\":[]}],3]",
	    "{\"a\":{\"b\":\"c\"},\"\":0}",
	    "\"\xf0\x9f\x90\xb3\"",
	    "\"\\u00e9\\ud83d\\udc33\\/\\b\\f\\n\\r\\t\\\"\\\\\"",
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct failure failure;
		struct json json;

		check_number(json_parse(table[i], strlen(table[i]), &json, &failure), 0, table[i]);
		json_free(&json);
	}
}

static void refuses(void)
{
	static const char *const table[] = {
	    "",
	    " ",
	    "nul",
	    "nulll",
	    "True",
	    "01",
	    "-",
	    "+1",
	    "1.",
	    ".5",
	    "1e",
	    "0x1",
	    "'a'",
	    "\"",
	    "\"\\\"",
	    "\"\\x\"",
	    "\"\\u12\"",
	    "\"\\u12g4\"",
	    "\"\\u0000\"",
	    "\"\\ud800\"",
	    "\"\\udc00\"",
	    "\"\\ud800\\u0041\"",
	    "\"\\ud800x\"",
	    "\"\t\"",
	    "\"\x80\"",
	    "\"\xc0\x80\"",
	    "\"\xe0\x80\x80\"",
	    "\"\xed\xa0\x80\"",
	    "\"\xf4\x90\x80\x80\"",
	    "\"\xf5\"",
	    "\"\xe2\x82\"",
	    "[",
	    "[1",
	    "[1,",
	    "[1,]",
	    "[,1]",
	    "[1 2]",
	    "]",
	    "{",
	    "{\"a\"}",
	    "{\"a\":}",
	    "{\"a\":1,}",
	    "{a:1}",
	    "{1:1}",
	    "{\"a\" 1}",
	    "{} {}",
	    "1 2",
	    "// a\n1",
	    "[1]]",
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct failure failure;
		struct json json;

		check_number(json_parse(table[i], strlen(table[i]), &json, &failure), -EINVAL,
		             table[i]);
		json_free(&json);
	}
}

static void depth(void)
{
	char text[2 * 65];
	struct failure failure;
	struct json json;

	memset(text, '[', 64);
	memset(text + 64, ']', 64);
	check_number(json_parse(text, 128, &json, &failure), 0, "64 deep");
	json_free(&json);
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	check_number(json_parse(text, 130, &json, &failure), -EINVAL, "65 deep");
	check_text(failure.message, "Bad JSON at byte 65: nested too deeply", "says where");
	json_free(&json);
}

static void reads_what_is_there(void)
{
	const char *text = "{\"a\":[1,\"two\\u0021\",{\"n\":null}],\"dns\": {\"x\":[ ]} ,\"a\":2}";
	const struct json_value *list, *item;
	struct failure failure;
	struct json json;

	check_number(json_parse(text, strlen(text), &json, &failure), 0, "it is read");
	list = json_member(&json, json.values, "a");
	check(list != NULL && list->type == JSON_ARRAY, "the first of two with the name");
	item = json_first(&json, list);
	check(item != NULL && item->type == JSON_NUMBER, "first item");
	item = json_next(&json, item);
	check(item != NULL && item->type == JSON_STRING, "second item");
	check_text(item->text, "two!", "its text");
	item = json_next(&json, item);
	check(item != NULL && json_member(&json, item, "n")->type == JSON_NULL, "third item");
	check(json_next(&json, item) == NULL, "and no fourth");
	item = json_member(&json, json.values, "dns");
	check(strncmp(text + item->start, "{\"x\":[ ]}", item->end - item->start) == 0 &&
	          item->end - item->start == 9,
	      "source of a value");
	check(json_member(&json, json.values, "none") == NULL, "no such member");
	check(json_member(&json, list, "a") == NULL, "a list has no members");
	check(json_member(&json, NULL, "a") == NULL, "nothing has none either");
	json_free(&json);
}

int main(void)
{
	accepts();
	refuses();
	depth();
	reads_what_is_there();
	return tap_done();
}
