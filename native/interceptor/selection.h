/* Which handlers are at work, and which of them a call is for. Pure, but for selection_prepare. */
#ifndef INTERCEPTOR_SELECTION_H
#define INTERCEPTOR_SELECTION_H

#include "interceptor/handler.h"
#include "interceptor/path.h"

enum { HANDLERS_MAX = 8 };

struct selection {
	struct answers answers;
	const struct handler *handlers[HANDLERS_MAX];
	size_t count;
	unsigned int kinds; /**< of calls that any of them needs to see */
};

/** Lets every handler find out what is missing, then loads the tree at answers.root. */
int selection_prepare(struct selection *selection, struct failure *failure);

/** Whether a path that ends like this one can be for any handler: a cheap first test. */
bool selection_may_match(const struct selection *selection, const char *path);

/** The index of the handler for a call of that kind on the resolved path, or -1. */
int selection_find(const struct selection *selection, enum call_kind kind, const char *path);

#endif
