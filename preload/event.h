/*
 * event.h - what hooks call to have an event recorded. The order in a hook:
 *
 *	if (!guard_enter(FUNC_X))  { pass through }   guard.h
 *	event_free(...)                               release: before the call
 *	real call
 *	event_malloc(...)                             acquire: after the call
 *	guard_leave()
 *
 * errno is preserved by every function here.
 */
#ifndef PRELOAD_EVENT_H
#define PRELOAD_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record_kinds.h"
#include "unwind.h"

struct tstate;

void event_malloc(void *result, size_t size, const struct unwind_context *ctx);
void event_calloc(void *result, size_t nmemb, size_t size, const struct unwind_context *ctx);
void event_aligned(enum alloc_func func, void *result, size_t alignment,
		   size_t size, const struct unwind_context *ctx);
void event_realloc_begin(void *old, size_t new_bytes, const struct unwind_context *ctx);
/* NMEMB is 0 for realloc. */
void event_realloc_end(void *result, size_t nmemb, size_t size, const struct unwind_context *ctx);
void event_free(enum alloc_func func, void *p, const struct unwind_context *ctx);
void event_null_call(enum alloc_func func, const struct unwind_context *ctx);
void event_failed(enum alloc_func func, int error, size_t nmemb_or_alignment,
		  size_t size, const struct unwind_context *ctx);

/*
 * A memory system call, from a patched site or from a hook. Inside an allocator
 * call the guard is already set and CTX is not used: the call stack is the
 * allocator call's. Outside, begin takes the guard in its caller's name, which must
 * keep a frame pointer, and end gives it back. Returns false where it is not to be
 * recorded (then do not call the end).
 */
bool event_syscall_begin(enum memory_syscall number, const long args[6],
			 unsigned flags, const struct unwind_context *ctx);
void event_syscall_end(enum memory_syscall number, long result);

/* True while this thread is inside a recorded call (an allocator's or a system call). */
bool event_is_inside(void);

void event_mark(const char *name);

#endif
