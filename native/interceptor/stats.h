/* What was done, for whoever measures it. */
#ifndef INTERCEPTOR_STATS_H
#define INTERCEPTOR_STATS_H

#include "interceptor/tracer.h"

/** Writes lines NAME <TAB> NUMBER (the mode's line: its name) to the file. */
int stats_write(const char *path, const struct tracer *tracer, struct failure *failure);

#endif
