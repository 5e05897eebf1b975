/* A strict reader of JSON (RFC 8259) for what runtimes hand over. Pure: no input, no output. */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include "lib/failure.h"

#include <stddef.h>

enum json_type {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

/** A value; its index in json.values is how others refer to it. */
struct json_value {
	enum json_type type;
	size_t start, end; /**< where its source is in the text, end excluded */
	const char *name;  /**< of an object's member, else NULL */
	const char *text;  /**< of a string, unescaped; else NULL */
	size_t first;      /**< first element or member; 0: none (0 is the document itself) */
	size_t next;       /**< next one beside it; 0: none */
};

struct json {
	const char *source;
	struct json_value *values; /**< the document is the first */
	size_t count;
	char *strings; /**< what names and texts point into */
};

/**
 * Reads the text, which must outlive the result. Rejects what RFC 8259 does not allow, strings that
 * are not UTF-8 or hold U+0000, and nesting deeper than 64.
 * Returns 0, or -EINVAL (-ENOMEM) with a failure that says where. Free it in every case.
 */
int json_parse(const char *text, size_t size, struct json *out, struct failure *failure);

void json_free(struct json *json);

/** The object's member of the name; NULL when it has none, or is no object (or NULL). */
const struct json_value *json_member(const struct json *json, const struct json_value *object,
                                     const char *name);

/** First element or member; NULL when there is none. */
const struct json_value *json_first(const struct json *json, const struct json_value *value);

/** The one after it; NULL after the last. */
const struct json_value *json_next(const struct json *json, const struct json_value *value);

#endif
