/* Whether a program's own code makes all its system calls, from addresses below 4 GiB. */
#ifndef INTERCEPTOR_STATIC_PROGRAM_H
#define INTERCEPTOR_STATIC_PROGRAM_H

#include "lib/failure.h"

/**
 * Checks that the program (looked up in PATH as execvp does) is an ELF file of type ET_EXEC without
 * an interpreter, all of it below 4 GiB. Otherwise notes what it is: --scope fixed would see none
 * of its calls.
 */
int static_program_check(const char *program, struct failure *failure);

#endif
