/*
 * block.h - how a block was served and how many bytes of it can be used, read
 * from the allocator's own traces right after the call.
 *
 * glibc (malloc/malloc.c, struct malloc_chunk; the same from 2.3 to 2.42): the 8
 * bytes before a block are its chunk's size; bit 1 says that the chunk is a
 * mapping of its own, bit 2 that it is not of the main arena.
 */
#ifndef PRELOAD_BLOCK_H
#define PRELOAD_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "real.h"
#include "record_kinds.h"

#define CHUNK_IS_MMAPPED 2u
#define CHUNK_NON_MAIN_ARENA 4u
#define CHUNK_FLAGS 7u

/* Set once at start. False: the allocator is asked for the usable size. */
extern bool block_is_glibc __attribute__((visibility("hidden")));

struct block {
	size_t usable; /* bytes */
	enum block_class cls;
};

/* Read the block at P (not null, just returned by the real allocator). */
static inline struct block block_read(void *p)
{
	struct block b;
	size_t head;

	if (__builtin_expect(!block_is_glibc, 0)) {
		b.cls = CLASS_FOREIGN;
		b.usable = real.malloc_usable_size(p);
		return b;
	}
	head = ((const size_t *)p)[-1];
	b.usable = (head & ~(size_t)CHUNK_FLAGS) - sizeof(size_t);
	b.cls = CLASS_HEAP;
	if (__builtin_expect(head & (CHUNK_IS_MMAPPED | CHUNK_NON_MAIN_ARENA), 0)) {
		b.cls = CLASS_ARENA;
		if (head & CHUNK_IS_MMAPPED) {
			b.cls = CLASS_MAPPED;
			b.usable -= sizeof(size_t);
		}
	}
	return b;
}

/* Choose the method. Once, after real_resolve(). Returns FEATURE_GLIBC_MALLOC or 0. */
uint32_t block_init(void);

#endif
