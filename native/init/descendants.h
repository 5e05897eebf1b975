/* The end of a process tree where no pid namespace brings it. */
#ifndef INIT_DESCENDANTS_H
#define INIT_DESCENDANTS_H

/**
 * Kills every descendant and reaps it. The caller must be a subreaper (PR_SET_CHILD_SUBREAPER), so
 * that the children of what it kills become its own.
 */
void descendants_kill(void);

#endif
