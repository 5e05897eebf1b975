/* A directory for a run that was given none. */
#ifndef INTERCEPTOR_TEMPORARY_H
#define INTERCEPTOR_TEMPORARY_H

#include "interceptor/answers.h"

/** Makes it in TMPDIR or /tmp, readable for every user, and writes its name to path (ROOT_SIZE). */
int temporary_make(char *path, struct failure *failure);

/** Removes it and all in it. */
int temporary_remove(const char *path, struct failure *failure);

#endif
