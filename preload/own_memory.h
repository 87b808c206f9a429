/*
 * own_memory.h - memory of the library itself, which the target's heap never sees
 * and reports do not count as the target's.
 */
#ifndef PRELOAD_OWN_MEMORY_H
#define PRELOAD_OWN_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/*
 * A zeroed private mapping of BYTES (rounded up to pages), touched lazily; NULL
 * where there is none. Never unmapped.
 */
void *own_map(size_t bytes);

/* Call VISIT for each of them. */
void own_memory_each(void (*visit)(uint64_t start, uint64_t bytes, void *ctx), void *ctx);

/* Bytes of those mappings that are resident now; 0 under a filter that may kill for asking. */
uint64_t own_resident_bytes(void);

#endif
