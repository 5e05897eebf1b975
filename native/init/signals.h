/* The signals init handles: blocked before anything else, and read from a signalfd. */
#ifndef INIT_SIGNALS_H
#define INIT_SIGNALS_H

#include <signal.h>

/** SIGCHLD, what asks for an end (TERM, INT, HUP, QUIT), and SIGPIPE, which is ignored so. */
void signals_block(void);

/** A signalfd(2) for the blocked ones without SIGPIPE, or -errno. */
int signals_open(void);

#endif
