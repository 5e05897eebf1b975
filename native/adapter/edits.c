#include "adapter/edits.h"

#include "lib/analyzer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Takes the text over, which is NULL where memory was short. */
static int add(struct edits *edits, size_t start, size_t end, char *text)
{
	struct edit *items =
	    text == NULL ? NULL : realloc(edits->items, (edits->count + 1) * sizeof *items);
	size_t at = edits->count;

	if (items == NULL) {
		free(text);
		return -ENOMEM;
	}
	edits->items = items;
	for (; at > 0 && items[at - 1].start > start; at--)
		items[at] = items[at - 1];
	items[at] = (struct edit){.start = start, .end = end, .text = text};
	/* By the item, until edits_free(). */
	analyzer_is_kept(text);
	edits->count++;
	return 0;
}

int edits_replace(struct edits *edits, const struct json_value *value, const char *text)
{
	return add(edits, value->start, value->end, strdup(text));
}

/* Before the closing bracket; `name` is NULL in a list. */
static int add_last(struct edits *edits, const struct json_value *parent, const char *name,
                    const char *text)
{
	const char *comma = parent->first == 0 ? "" : ",";
	char *written = NULL;
	int length = name == NULL ? asprintf(&written, "%s%s", comma, text)
	                          : asprintf(&written, "%s\"%s\":%s", comma, name, text);

	return length < 0 ? -ENOMEM : add(edits, parent->end - 1, parent->end - 1, written);
}

int edits_append(struct edits *edits, const struct json_value *list, const char *text)
{
	return add_last(edits, list, NULL, text);
}

int edits_add_member(struct edits *edits, const struct json_value *object, const char *name,
                     const char *text)
{
	return add_last(edits, object, name, text);
}

char *edits_apply(const struct edits *edits, size_t size, size_t *new_size)
{
	size_t length = size, from = 0;
	char *result, *to;

	for (size_t i = 0; i < edits->count; i++)
		length += strlen(edits->items[i].text);
	result = to = malloc(length + 1);
	if (result == NULL)
		return NULL;
	for (size_t i = 0; i < edits->count; i++) {
		const struct edit *edit = &edits->items[i];

		to = mempcpy(to, edits->json->source + from, edit->start - from);
		to = stpcpy(to, edit->text);
		from = edit->end;
	}
	to = mempcpy(to, edits->json->source + from, size - from);
	*to = '\0';
	*new_size = (size_t)(to - result);
	return result;
}

void edits_free(struct edits *edits)
{
	for (size_t i = 0; i < edits->count; i++)
		free(edits->items[i].text);
	free(edits->items);
	*edits = (struct edits){0};
}
