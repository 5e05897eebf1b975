/* A growing, NULL terminated list of texts, as execve(2) wants its arguments and environment. */
#ifndef LIB_STRINGS_H
#define LIB_STRINGS_H

#include <stddef.h>

struct strings {
	char **items; /**< NULL while nothing was added */
	size_t count;
};

/** Appends a copy of the text; 0 or -ENOMEM. */
int strings_add(struct strings *strings, const char *text);

/** Adds "key=value", in the place of an earlier one with the key; 0 or -ENOMEM. */
int strings_set(struct strings *strings, const char *key, const char *value);

void strings_free(struct strings *strings);

#endif
