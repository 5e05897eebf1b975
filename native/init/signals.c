#include "init/signals.h"

#include <errno.h>
#include <stddef.h>
#include <sys/signalfd.h>

static void fill(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGCHLD);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGQUIT);
}

void signals_block(void)
{
	sigset_t set;

	fill(&set);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

int signals_open(void)
{
	sigset_t set;
	int fd;

	fill(&set);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
