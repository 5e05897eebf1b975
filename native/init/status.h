/*
 * Status lines, for the program that started init (README.md). They are lost, never waited for,
 * when it has ended or does not read: the cluster must not hang on its starter.
 */
#ifndef INIT_STATUS_H
#define INIT_STATUS_H

#include "init/launch.h"
#include "lib/failure.h"

#include <sys/types.h>

/** Reports the failure on the status descriptor, unless it is -1, and on stderr. */
void status_failed(int fd, const struct position *position, const struct failure *failure);
void status_started(int fd, const char *name, pid_t pid);
/** `status` is from waitpid(2). */
void status_exited(int fd, const char *name, int status);
/* An end that nobody asked for, on stderr: whoever started init may be gone by now. */
void status_note_exit(const char *name, int status);
void status_ready(int fd);

#endif
