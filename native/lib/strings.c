#include "lib/strings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Takes the text over. */
static int append(struct strings *strings, char *text)
{
	char **items;

	if (text == NULL)
		return -ENOMEM;
	items = realloc(strings->items, (strings->count + 2) * sizeof *items);
	if (items == NULL) {
		free(text);
		return -ENOMEM;
	}
	items[strings->count++] = text;
	items[strings->count] = NULL;
	strings->items = items;
	return 0;
}

int strings_add(struct strings *strings, const char *text)
{
	return append(strings, strdup(text));
}

int strings_set(struct strings *strings, const char *key, const char *value)
{
	size_t length = strlen(key);
	char *entry;

	if (asprintf(&entry, "%s=%s", key, value) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < strings->count; i++) {
		if (strncmp(strings->items[i], entry, length + 1) == 0) {
			free(strings->items[i]);
			strings->items[i] = entry;
			return 0;
		}
	}
	return append(strings, entry);
}

void strings_free(struct strings *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		free(strings->items[i]);
	free(strings->items);
	*strings = (struct strings){0};
}
