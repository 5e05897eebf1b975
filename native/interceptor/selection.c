#include "interceptor/selection.h"

#include <assert.h>
#include <string.h>

static bool has_answers(const struct selection *selection, const struct handler *handler)
{
	for (size_t i = 0; i < selection->answers.paths.count; i++) {
		const char *path = selection->answers.paths.items[i];
		bool taken = false;

		for (size_t h = 0; h < selection->count; h++)
			taken = taken || selection->handlers[h]->match(&selection->answers, path);
		if (!taken && handler->match(&selection->answers, path))
			return true;
	}
	return false;
}

int selection_prepare(struct selection *selection, struct failure *failure)
{
	bool needed[HANDLERS_MAX] = {0};
	int error;

	for (size_t i = 0; handlers[i] != NULL; i++) {
		int result = handlers[i]->prepare(selection->answers.root, failure);

		assert(i < HANDLERS_MAX);
		if (result < 0)
			return result;
		needed[i] = result > 0;
	}
	error = answers_load(&selection->answers, failure);
	if (error != 0)
		return error;
	for (size_t i = 0; handlers[i] != NULL; i++) {
		if (!needed[i] && !has_answers(selection, handlers[i]))
			continue;
		selection->handlers[selection->count++] = handlers[i];
		selection->kinds |= handlers[i]->calls;
	}
	return 0;
}

bool selection_may_match(const struct selection *selection, const char *path)
{
	size_t length;
	const char *last = path_last(path, &length);

	/* "/", "." and ".." may lead anywhere. */
	if (length == 0 || (length <= 2 && strncmp(last, "..", length) == 0))
		return true;
	for (size_t i = 0; i < selection->count; i++) {
		const char *only = selection->handlers[i]->last;

		if (only != NULL && strlen(only) == length && memcmp(only, last, length) == 0)
			return true;
	}
	return answers_have_name(&selection->answers, last, length);
}

int selection_find(const struct selection *selection, enum call_kind kind, const char *path)
{
	for (size_t i = 0; i < selection->count; i++) {
		const struct handler *handler = selection->handlers[i];

		if ((handler->calls & kind) != 0 && handler->match(&selection->answers, path))
			return (int)i;
	}
	return -1;
}
