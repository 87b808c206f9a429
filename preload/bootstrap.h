/*
 * bootstrap.h - blocks for the calls that come before the real allocator is
 * known (dlsym itself allocates). They are never given back: free is ignored,
 * realloc copies out. All functions are lock-free and need nothing but memory.
 */
#ifndef PRELOAD_BOOTSTRAP_H
#define PRELOAD_BOOTSTRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* First arena in .bss; when it is used up, mappings of at least this size follow. */
#define BOOTSTRAP_BYTES (1024u * 1024)

/* Lowest address of any bootstrap block, and the bytes from there to behind the highest. */
extern struct bootstrap_span {
	uintptr_t low;
	uintptr_t bytes;
} bootstrap_span __attribute__((visibility("hidden")));

bool bootstrap_owns_exactly(const void *p);

/* False where P is no block of the bootstrap arena; true: ask bootstrap_owns(). */
static inline bool bootstrap_may_own(const void *p)
{
	return __builtin_expect((uintptr_t)p - bootstrap_span.low < bootstrap_span.bytes, 0);
}

/* True where P is a block of the bootstrap arena. On the path of every free. */
static inline bool bootstrap_owns(const void *p)
{
	return bootstrap_may_own(p) && bootstrap_owns_exactly(p);
}

/*
 * A zeroed block of SIZE bytes, aligned to ALIGNMENT (raised to 16, and to a
 * power of two). NULL with errno ENOMEM where no memory is left.
 */
void *bootstrap_alloc(size_t alignment, size_t size);

/* A larger or smaller copy of OLD (which may be NULL); OLD stays as it is. */
void *bootstrap_realloc(void *old, size_t size);

/* Usable bytes of the bootstrap block P. */
size_t bootstrap_usable(const void *p);

#endif
