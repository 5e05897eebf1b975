/*
 * Runs one of Debian's dynamic programs with the libraries it was packed with, so
 * that it works on a host that has others or none. Called as NAME, from the
 * directory DIR it lies in: DIR/lib/ld.so runs DIR/lib/programs/NAME.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int starts(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* The iptables family is two programs of many names. */
static const char *program(const char *name)
{
	if (starts(name, "iptables-nft") || starts(name, "ip6tables-nft") || starts(name, "xtables-nft"))
		return "xtables-nft-multi";
	if (starts(name, "iptables-legacy") || starts(name, "ip6tables-legacy") || starts(name, "xtables-legacy"))
		return "xtables-legacy-multi";
	return name;
}

int main(int argc, char **argv)
{
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char **args = calloc((size_t)argc + 7, sizeof(char *));
	if (length < 0 || argc < 1 || !args) {
		fprintf(stderr, "Failed to find the bundled libraries: %s\n", strerror(errno));
		return 127;
	}
	self[length] = '\0';
	const char *dir = dirname(self);
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash ? slash + 1 : argv[0];

	char *loader, *libraries, *extensions, *path;
	if (asprintf(&libraries, "%s/lib", dir) < 0 || asprintf(&loader, "%s/ld.so", libraries) < 0 ||
	    asprintf(&extensions, "%s/xtables", libraries) < 0 ||
	    asprintf(&path, "%s/programs/%s", libraries, program(name)) < 0) {
		perror("Failed to build the command");
		return 127;
	}
	setenv("XTABLES_LIBDIR", extensions, 1);

	const char *head[] = {loader, "--library-path", libraries, "--argv0", name, path};
	memcpy(args, head, sizeof(head));
	memcpy(args + 6, argv + 1, (size_t)(argc - 1) * sizeof(char *));
	execv(loader, args);
	fprintf(stderr, "Failed to execute %s: %s\n", loader, strerror(errno));
	return 127;
}
