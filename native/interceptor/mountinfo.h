/* The text of /proc/PID/mountinfo (proc(5)). Pure. */
#ifndef INTERCEPTOR_MOUNTINFO_H
#define INTERCEPTOR_MOUNTINFO_H

#include <stdbool.h>
#include <stddef.h>

/** The field that is added; one text for all, as only its presence is asked for. */
#define MOUNTINFO_SHARED "shared:1 "

/**
 * Copies the text, giving each mount that is neither shared nor unbindable MOUNTINFO_SHARED.
 * `out` must have room for mountinfo_room(text, length) bytes. Returns the length of the copy,
 * which is that of the text where nothing was added.
 */
size_t mountinfo_share(const char *text, size_t length, char *out);
size_t mountinfo_room(const char *text, size_t length);

/**
 * Whether the path names some process's mountinfo: /proc/{self,thread-self,N}/mountinfo, and the
 * same below task/. *process is then the part between /proc/ and /mountinfo.
 */
bool mountinfo_path(const char *path, const char **process, size_t *length);

#endif
