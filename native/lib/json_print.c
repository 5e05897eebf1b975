#include "lib/json_print.h"

void json_print_string(FILE *stream, const char *text)
{
	fputc('"', stream);
	for (; *text != '\0'; text++) {
		unsigned char character = (unsigned char)*text;

		if (character == '"' || character == '\\')
			fprintf(stream, "\\%c", character);
		else if (character < 0x20)
			fprintf(stream, "\\u%04x", character);
		else
			fputc(character, stream);
	}
	fputc('"', stream);
}
