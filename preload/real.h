/*
 * real.h - the functions behind the hooks: the next definition of each name in
 * the program's search order (another preload, jemalloc, libc).
 *
 * Until real_resolve() has run, every member is served by the bootstrap arena;
 * so a member is never null and may always be called.
 */
#ifndef PRELOAD_REAL_H
#define PRELOAD_REAL_H

#include <stdbool.h>
#include <stddef.h>

extern struct real {
#define HOOK(name, need, type, params) type (*name) params;
#include "hooks.def"
#undef HOOK
} real __attribute__((visibility("hidden")));

/*
 * Look all names up. Once, at start; the calls of the allocator that dlsym makes
 * meanwhile (by any thread) come from the bootstrap arena.
 */
void real_resolve(void);

/*
 * The path of the object whose malloc the program's calls reach before this library's (an
 * executable that brings its own); NULL where they come here. Valid while that object is loaded.
 */
const char *real_first_object(void);

/*
 * True where malloc is the one of libc.so.6, of a version whose chunk headers
 * block.c reads. Valid after real_resolve().
 */
bool real_is_glibc_malloc(void);

#endif
