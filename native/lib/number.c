#include "lib/number.h"

#include <errno.h>

int number_parse(const char *text, unsigned int base, unsigned long maximum, unsigned long *out)
{
	unsigned long value = 0;

	if (*text == '\0')
		return -EINVAL;
	for (; *text != '\0'; text++) {
		unsigned long digit = (unsigned long)(*text - '0');

		if (*text < '0' || digit >= base)
			return -EINVAL;
		if (digit > maximum || value > (maximum - digit) / base)
			return -ERANGE;
		value = value * base + digit;
	}
	*out = value;
	return 0;
}
