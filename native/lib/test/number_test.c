#include "lib/number.h"

#include "lib/cidr.h"
#include "lib/errno_name.h"
#include "lib/test/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>

static void numbers(void)
{
	static const struct {
		const char *text;
		unsigned int base;
		unsigned long maximum;
		int result;
		unsigned long value;
	} table[] = {
	    {"0", 10, 0, 0, 0},
	    {"755", 8, 07777, 0, 0755},
	    {"65535", 10, 65535, 0, 65535},
	    {"65536", 10, 65535, -ERANGE, 0},
	    {"18446744073709551615", 10, ULONG_MAX, 0, ULONG_MAX},
	    {"18446744073709551616", 10, ULONG_MAX, -ERANGE, 0},
	    {"99999999999999999999999", 10, ULONG_MAX, -ERANGE, 0},
	    {"9", 10, 5, -ERANGE, 0},
	    {"", 10, 9, -EINVAL, 0},
	    {"-1", 10, 9, -EINVAL, 0},
	    {"+1", 10, 9, -EINVAL, 0},
	    {" 1", 10, 9, -EINVAL, 0},
	    {"1 ", 10, 99, -EINVAL, 0},
	    {"8", 8, 99, -EINVAL, 0},
	    {"0x1", 10, 99, -EINVAL, 0},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		unsigned long value = 0;

		check_number(number_parse(table[i].text, table[i].base, table[i].maximum, &value),
		             table[i].result, table[i].text);
		if (table[i].result == 0)
			check(value == table[i].value, "%s is %lu", table[i].text, table[i].value);
	}
}

static void cidrs(void)
{
	static const char *const bad[] = {
	    "10.42.0.1", "10.42.0.1/", "10.42.0.1/33",   "10.42.0.1/-1",           "10.42.0/24",
	    "/24",       "::1/64",     "10.42.0.256/24", "010.42.00000.000001/24", "10.42.0.1/24 "};
	struct cidr cidr;

	check_number(cidr_parse("10.42.0.1/24", &cidr), 0, "10.42.0.1/24 is read");
	check(ntohl(cidr.address.s_addr) == 0x0a2a0001 && cidr.prefix == 24, "with both its parts");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		check_number(cidr_parse(bad[i], &cidr), -EINVAL, bad[i]);
	check(cidr_mask(0) == 0, "mask of /0");
	check(cidr_mask(24) == 0xffffff00, "mask of /24");
	check(cidr_mask(32) == UINT32_MAX, "mask of /32");
}

static void errno_names(void)
{
	check_text(errno_name(EPERM), "EPERM", "EPERM");
	check_text(errno_name(EHWPOISON), "EHWPOISON", "the last one");
	check_text(errno_name(0), "E?", "no error");
	check_text(errno_name(-1), "E?", "negative");
	check_text(errno_name(4096), "E?", "too large");
}

int main(void)
{
	numbers();
	cidrs();
	errno_names();
	return tap_done();
}
