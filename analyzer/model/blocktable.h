/*
 * blocktable.h - blocks by address: the one table that every event touches.
 *
 * Two parts. The blocks themselves lie in one array in the order in which places
 * became free, so that what is allocated together lies together. The index is
 * buckets of one cache line: for each entry 16 bits of the address and the place of
 * the block. Neighbours in memory share a bucket or lie in buckets in a row, so
 * that programs which walk through memory make the reader walk too. A full bucket
 * passes on to another one and counts what passed, which makes removal exact
 * without tombstones.
 *
 * A block costs 48 bytes and about 10 in the index, and an event touches one line
 * of each: the table of a big program does not fit into any cache.
 */
#ifndef MODEL_BLOCKTABLE_H
#define MODEL_BLOCKTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/replay.h"

#define BUCKET_ENTRIES 10

struct blocktable_bucket {
	uint16_t tag[BUCKET_ENTRIES];   /* of the address; 0: free entry */
	uint32_t place[BUCKET_ENTRIES]; /* index into blocks */
	uint32_t passed;                /* entries kept behind that belong here or before */
};

_Static_assert(sizeof(struct blocktable_bucket) == 64, "a cache line");

/* All zero is an empty table that owns nothing. */
struct blocktable {
	struct blocktable_bucket *buckets; /* 2^(64 - shift), aligned to cache lines */
	struct block **chunks;      /* the blocks; place 0 is never used; a free place has addr 0 */
	uint32_t shift;             /* 64 - log2(buckets) */
	uint32_t count;             /* blocks in the table */
	uint32_t limit;             /* count at which the index grows */
	uint32_t free_place;        /* first of the list of free places (linked by size); 0: none */
	uint32_t used;              /* places ever used, [0] included */
	uint32_t capacity;          /* places allocated */
	uint32_t chunk_count;
};

/* Places in a chunk: three huge pages. Only the first chunk begins smaller. */
#define CHUNK_SHIFT 17
#define CHUNK_PLACES (1u << CHUNK_SHIFT)

static inline struct block *blocktable_place(const struct blocktable *t, uint32_t place)
{
	return &t->chunks[place >> CHUNK_SHIFT][place & (CHUNK_PLACES - 1)];
}

void blocktable_release(struct blocktable *t);

/*
 * A new entry for ADDR (not 0), for the caller to fill; its addr is set, all
 * else is not. NULL where ADDR is in the table already. Valid until the next insert.
 */
struct block *blocktable_insert(struct blocktable *t, uint64_t addr);

/* The block at exactly ADDR, or NULL. Valid until the next insert or remove. */
struct block *blocktable_find(const struct blocktable *t, uint64_t addr);

/* Take the block at ADDR out and copy it to *OLD. Returns false: there is none. */
bool blocktable_remove(struct blocktable *t, uint64_t addr, struct block *old);

/* The index is given back, the blocks remain for blocktable_next only. */
void blocktable_freeze(struct blocktable *t);

/*
 * Iterate: start with *CURSOR = 0; NULL at the end. In the order of places: the
 * same events give the same order.
 */
const struct block *blocktable_next(const struct blocktable *t, uint32_t *cursor);

#endif
