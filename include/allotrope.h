/*
 * allotrope.h - calls that a program may make about its own recording.
 *
 * Include this header and call; nothing needs to be linked. Each function is a
 * weak reference that the preloaded library satisfies: without the library
 * every call is a test of a null pointer.
 */
#ifndef ALLOTROPE_H
#define ALLOTROPE_H

#ifdef __cplusplus
extern "C" {
#endif

/* Implemented by the preloaded library; use the wrapper below. */
extern void allotrope_mark_event(const char *name) __attribute__((weak));

/*
 * Put a mark called NAME (a string of at most 255 bytes; longer ones are cut)
 * into the recording at this moment. Reports accept it as a moment: --at=mark:NAME.
 */
static inline void allotrope_mark(const char *name)
{
	if (allotrope_mark_event)
		allotrope_mark_event(name);
}

#ifdef __cplusplus
}
#endif

#endif
