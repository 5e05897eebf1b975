/* For `make analyze`: what gcc's analyzer cannot see, said at the line, beside the reason. */
#ifndef LIB_ANALYZER_H
#define LIB_ANALYZER_H

#ifdef ANALYZE
/** Somebody has the pointer from now on: it is not lost. Nothing is linked of what is analyzed. */
void analyzer_is_kept(void *pointer);
#else
static inline void analyzer_is_kept(void *pointer)
{
	(void)pointer;
}
#endif

#endif
