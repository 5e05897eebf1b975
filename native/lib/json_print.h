/* Writing JSON. */
#ifndef LIB_JSON_PRINT_H
#define LIB_JSON_PRINT_H

#include <stdio.h>

/** Writes the text as a JSON string, quotes included. */
void json_print_string(FILE *stream, const char *text);

#endif
