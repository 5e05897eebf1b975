/* Files that are made for one call and removed at its end: ROOT/.generated/NUMBER. */
#ifndef INTERCEPTOR_GENERATED_H
#define INTERCEPTOR_GENERATED_H

#include "interceptor/answers.h"

#include <stddef.h>

/** Writes the text into a new file and its name into target (of TARGET_SIZE); 0 or -errno. */
int generated_make(const char *root, const char *text, size_t length, char *target);

/** Makes the directory of these files under root, or removes it. 0 or -errno. */
int generated_begin(const char *root);
int generated_end(const char *root);

#endif
