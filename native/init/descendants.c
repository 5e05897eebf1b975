#include "init/descendants.h"

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/number.h"

#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define STAT_MAXIMUM 4096

/* Fourth field of /proc/PID/stat; the second, in parentheses, may hold anything (proc(5)). */
static long parent_of(unsigned long pid)
{
	cleanup_free char *stat = NULL;
	char path[64];
	const char *name_end;
	long parent;

	snprintf(path, sizeof path, "/proc/%lu/stat", pid);
	if (io_read_file(path, STAT_MAXIMUM, &stat, NULL) != 0)
		return -1;
	name_end = strrchr(stat, ')');
	if (name_end == NULL || sscanf(name_end, ") %*c %ld", &parent) != 1)
		return -1;
	return parent;
}

static void kill_children(void)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;

	if (processes == NULL)
		return;
	while ((entry = readdir(processes)) != NULL) {
		unsigned long pid;

		if (number_parse(entry->d_name, 10, INT_MAX, &pid) == 0 &&
		    parent_of(pid) == (long)getpid())
			kill((pid_t)pid, SIGKILL);
	}
	closedir(processes);
}

void descendants_kill(void)
{
	/* Each round kills our children; their children are ours in the next. */
	do
		kill_children();
	while (waitpid(-1, NULL, 0) > 0);
}
