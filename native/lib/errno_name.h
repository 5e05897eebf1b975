/* Symbolic names of errno values; musl has no strerrorname_np. */
#ifndef LIB_ERRNO_NAME_H
#define LIB_ERRNO_NAME_H

/** "EPERM" for EPERM; "E?" for a value that has no name here. Never NULL. */
const char *errno_name(int errnum);

#endif
