/* Strict decimal numbers: digits only, no sign, no blank, no overflow. */
#ifndef LIB_NUMBER_H
#define LIB_NUMBER_H

/** Reads all of text as a number of the base into *out; -EINVAL, or -ERANGE above `maximum`. */
int number_parse(const char *text, unsigned int base, unsigned long maximum, unsigned long *out);

#endif
