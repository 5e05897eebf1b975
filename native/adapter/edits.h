/*
 * Changes to a JSON text, made where they are wanted: every byte beside them stays as it was, so
 * that nothing of a document is lost whatever a later version of its format brings. Pure.
 */
#ifndef ADAPTER_EDITS_H
#define ADAPTER_EDITS_H

#include "lib/json.h"

#include <stddef.h>

struct edit {
	size_t start, end; /**< of the source that goes */
	char *text;        /**< what comes in its place */
};

struct edits {
	const struct json *json;
	struct edit *items; /**< in the order of their places */
	size_t count;
};

/** Puts the text in the place of the value. Returns 0 or -ENOMEM, as the next two. */
int edits_replace(struct edits *edits, const struct json_value *value, const char *text);

/** Adds an element at the end of the list. */
int edits_append(struct edits *edits, const struct json_value *list, const char *text);

/** Adds a member at the end of the object; its name needs no escapes. */
int edits_add_member(struct edits *edits, const struct json_value *object, const char *name,
                     const char *text);

/** The changed text, NUL terminated, to be freed; NULL without memory. Changes must not overlap. */
char *edits_apply(const struct edits *edits, size_t size, size_t *new_size);

void edits_free(struct edits *edits);

#endif
