/* What goes to stdout: JSON, as the CNI specification wants it. */
#ifndef CNI_OUTPUT_H
#define CNI_OUTPUT_H

#include <stdio.h>

/** Writes the text as a JSON string, quotes included. */
void output_string(FILE *stream, const char *text);

#endif
