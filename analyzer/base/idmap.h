/*
 * idmap.h - 64-bit keys to 32-bit numbers, for tables of millions of call
 * stacks: 16 bytes an entry, in one cache line, where a uthash handle takes 56.
 */
#ifndef BASE_IDMAP_H
#define BASE_IDMAP_H

#include <stddef.h>
#include <stdint.h>

struct idmap_entry {
	uint64_t key;
	uint32_t id;        /* 0: the place is free */
};

struct idmap {
	struct idmap_entry *entries;
	size_t capacity;    /* a power of two, or 0 */
	size_t count;
};

/* All zero is an empty map. */
void idmap_release(struct idmap *m);

/* The number of KEY; where it has none yet it gets ID (not 0), which is returned. */
uint32_t idmap_add(struct idmap *m, uint64_t key, uint32_t id);

/* The number of KEY, or 0. */
uint32_t idmap_find(const struct idmap *m, uint64_t key);

#endif
