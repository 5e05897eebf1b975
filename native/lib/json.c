#include "lib/json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DEEPEST 64

struct reader {
	const char *at, *end;
	struct json *json;
	char *strings; /* where the next string goes */
	size_t capacity;
	struct failure *failure;
};

static int reject(struct reader *reader, const char *why)
{
	return fail_input(reader->failure, "Bad JSON at byte %zu: %s",
	                  (size_t)(reader->at - reader->json->source), why);
}

static void skip_blank(struct reader *reader)
{
	while (reader->at < reader->end && strchr(" \t\n\r", *reader->at) != NULL &&
	       *reader->at != '\0')
		reader->at++;
}

static bool next_is(const struct reader *reader, char character)
{
	return reader->at < reader->end && *reader->at == character;
}

static bool accept(struct reader *reader, char character)
{
	if (!next_is(reader, character))
		return false;
	reader->at++;
	return true;
}

/* Length of the UTF-8 sequence at the reader's place; 0 if it is none (RFC 3629, section 4). */
static size_t utf8_length(const struct reader *reader)
{
	const unsigned char *at = (const unsigned char *)reader->at;
	size_t left = (size_t)(reader->end - reader->at);
	unsigned char lowest = 0x80, highest = 0xbf;
	size_t length;

	if (at[0] < 0x80)
		return 1;
	if (at[0] >= 0xc2 && at[0] <= 0xdf)
		length = 2;
	else if (at[0] >= 0xe0 && at[0] <= 0xef)
		length = 3;
	else if (at[0] >= 0xf0 && at[0] <= 0xf4)
		length = 4;
	else
		return 0;
	if (at[0] == 0xe0)
		lowest = 0xa0;
	if (at[0] == 0xed)
		highest = 0x9f;
	if (at[0] == 0xf0)
		lowest = 0x90;
	if (at[0] == 0xf4)
		highest = 0x8f;
	if (length > left || at[1] < lowest || at[1] > highest)
		return 0;
	for (size_t i = 2; i < length; i++)
		if (at[i] < 0x80 || at[i] > 0xbf)
			return 0;
	return length;
}

static void put_utf8(struct reader *reader, uint32_t point)
{
	if (point < 0x80) {
		*reader->strings++ = (char)point;
		return;
	}
	if (point < 0x800) {
		*reader->strings++ = (char)(0xc0 | point >> 6);
	} else {
		if (point < 0x10000) {
			*reader->strings++ = (char)(0xe0 | point >> 12);
		} else {
			*reader->strings++ = (char)(0xf0 | point >> 18);
			*reader->strings++ = (char)(0x80 | (point >> 12 & 0x3f));
		}
		*reader->strings++ = (char)(0x80 | (point >> 6 & 0x3f));
	}
	*reader->strings++ = (char)(0x80 | (point & 0x3f));
}

static int hex_value(char digit)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = strchr(digits, digit >= 'A' && digit <= 'F' ? digit + 32 : digit);

	return found == NULL || *found == '\0' ? -1 : (int)(found - digits);
}

/* Reads the four digits after \u; -1 if they are not there. */
static int32_t read_unit(struct reader *reader)
{
	int32_t unit = 0;

	if (reader->end - reader->at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int value = hex_value(*reader->at++);

		if (value < 0)
			return -1;
		unit = unit * 16 + value;
	}
	return unit;
}

static int read_unicode_escape(struct reader *reader)
{
	int32_t high = read_unit(reader), low;

	if (high <= 0)
		return reject(reader, "expected four hexadecimal digits other than 0000 after \\u");
	if (high >= 0xdc00 && high <= 0xdfff)
		return reject(reader, "a low surrogate stands alone");
	if (high < 0xd800 || high > 0xdbff) {
		put_utf8(reader, (uint32_t)high);
		return 0;
	}
	low = accept(reader, '\\') && accept(reader, 'u') ? read_unit(reader) : -1;
	if (low < 0xdc00 || low > 0xdfff)
		return reject(reader, "a high surrogate stands alone");
	put_utf8(reader, 0x10000 + (((uint32_t)high & 0x3ff) << 10) + ((uint32_t)low & 0x3ff));
	return 0;
}

static int read_escape(struct reader *reader)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (accept(reader, 'u'))
		return read_unicode_escape(reader);
	found = reader->at < reader->end ? strchr(from, *reader->at) : NULL;
	if (found == NULL || *found == '\0')
		return reject(reader, "unknown escape in a string");
	*reader->strings++ = to[found - from];
	reader->at++;
	return 0;
}

/* After the opening quote. What it writes is never longer than the source, quotes included. */
static int read_string(struct reader *reader, const char **out)
{
	*out = reader->strings;
	while (!accept(reader, '"')) {
		size_t length;

		if (reader->at == reader->end)
			return reject(reader, "a string does not end");
		if ((unsigned char)*reader->at < 0x20)
			return reject(reader, "control character in a string");
		if (accept(reader, '\\')) {
			int error = read_escape(reader);

			if (error != 0)
				return error;
			continue;
		}
		length = utf8_length(reader);
		if (length == 0)
			return reject(reader, "a string is not UTF-8");
		memcpy(reader->strings, reader->at, length);
		reader->strings += length;
		reader->at += length;
	}
	*reader->strings++ = '\0';
	return 0;
}

static bool skip_digits(struct reader *reader)
{
	const char *start = reader->at;

	while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9')
		reader->at++;
	return reader->at > start;
}

static int read_number(struct reader *reader)
{
	accept(reader, '-');
	if (!accept(reader, '0') && !skip_digits(reader))
		return reject(reader, "expected a value");
	if (accept(reader, '.') && !skip_digits(reader))
		return reject(reader, "expected digits after the point");
	if (next_is(reader, 'e') || next_is(reader, 'E')) {
		reader->at++;
		if (!accept(reader, '+'))
			accept(reader, '-');
		if (!skip_digits(reader))
			return reject(reader, "expected digits in the exponent");
	}
	return 0;
}

static bool accept_word(struct reader *reader, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, word, length) != 0)
		return false;
	reader->at += length;
	return true;
}

/* Adds a value at the reader's place and returns its index, or -ENOMEM. */
static long add_value(struct reader *reader, const char *name)
{
	struct json *json = reader->json;

	if (json->count == reader->capacity) {
		size_t capacity = reader->capacity == 0 ? 64 : reader->capacity * 2;
		struct json_value *values = realloc(json->values, capacity * sizeof *values);

		if (values == NULL)
			return fail(reader->failure, ENOMEM, "hold the JSON document");
		json->values = values;
		reader->capacity = capacity;
	}
	json->values[json->count] = (struct json_value){
	    .name = name,
	    .start = (size_t)(reader->at - json->source),
	};
	return (long)json->count++;
}

static int read_value(struct reader *reader, const char *name, int depth);

static int read_member_name(struct reader *reader, const char **name)
{
	int error;

	skip_blank(reader);
	if (!accept(reader, '"'))
		return reject(reader, "expected a member's name");
	error = read_string(reader, name);
	if (error != 0)
		return error;
	skip_blank(reader);
	return accept(reader, ':') ? 0 : reject(reader, "expected \":\"");
}

/* After the opening bracket: elements, or members, up to the closing one. */
static int read_children(struct reader *reader, size_t parent, char closing, int depth)
{
	size_t previous = 0;

	if (depth == DEEPEST)
		return reject(reader, "nested too deeply");
	skip_blank(reader);
	if (accept(reader, closing))
		return 0;
	do {
		size_t child = reader->json->count;
		const char *name = NULL;
		int error = closing == '}' ? read_member_name(reader, &name) : 0;

		if (error == 0)
			error = read_value(reader, name, depth + 1);
		if (error != 0)
			return error;
		if (previous == 0)
			reader->json->values[parent].first = child;
		else
			reader->json->values[previous].next = child;
		previous = child;
		skip_blank(reader);
	} while (accept(reader, ','));
	return accept(reader, closing) ? 0 : reject(reader, "expected \",\" or the end of a list");
}

static int read_content(struct reader *reader, size_t index, int depth)
{
	struct json_value *value = &reader->json->values[index];

	if (accept(reader, '{')) {
		value->type = JSON_OBJECT;
		return read_children(reader, index, '}', depth);
	}
	if (accept(reader, '[')) {
		value->type = JSON_ARRAY;
		return read_children(reader, index, ']', depth);
	}
	if (accept(reader, '"')) {
		value->type = JSON_STRING;
		return read_string(reader, &value->text);
	}
	if (accept_word(reader, "null"))
		value->type = JSON_NULL;
	else if (accept_word(reader, "true"))
		value->type = JSON_TRUE;
	else if (accept_word(reader, "false"))
		value->type = JSON_FALSE;
	else {
		value->type = JSON_NUMBER;
		return read_number(reader);
	}
	return 0;
}

static int read_value(struct reader *reader, const char *name, int depth)
{
	long index;
	int error;

	skip_blank(reader);
	index = add_value(reader, name);
	if (index < 0)
		return (int)index;
	error = read_content(reader, (size_t)index, depth);
	reader->json->values[index].end = (size_t)(reader->at - reader->json->source);
	return error;
}

int json_parse(const char *text, size_t size, struct json *out, struct failure *failure)
{
	struct reader reader = {
	    .at = text,
	    .end = text + size,
	    .json = out,
	    .failure = failure,
	};
	int error;

	*out = (struct json){.source = text, .strings = malloc(size + 1)};
	if (out->strings == NULL)
		return fail(failure, ENOMEM, "hold the JSON document");
	reader.strings = out->strings;
	error = read_value(&reader, NULL, 0);
	if (error != 0)
		return error;
	skip_blank(&reader);
	return reader.at == reader.end ? 0 : reject(&reader, "something follows the document");
}

void json_free(struct json *json)
{
	free(json->values);
	free(json->strings);
	*json = (struct json){0};
}

const struct json_value *json_first(const struct json *json, const struct json_value *value)
{
	return value == NULL || value->first == 0 ? NULL : &json->values[value->first];
}

const struct json_value *json_next(const struct json *json, const struct json_value *value)
{
	return value->next == 0 ? NULL : &json->values[value->next];
}

const struct json_value *json_member(const struct json *json, const struct json_value *object,
                                     const char *name)
{
	for (const struct json_value *member = json_first(json, object); member != NULL;
	     member = json_next(json, member))
		if (member->name != NULL && strcmp(member->name, name) == 0)
			return member;
	return NULL;
}
