/*
 * blocktable.c - see blocktable.h. Relies on addresses being non-zero, which
 * heap.c sees to. Promises O(1) per operation while at most half of the entries
 * are in use, and no allocation but when it grows.
 */
#include "model/blocktable.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/xmem.h"

#define FIRST_BUCKETS_LOG2 4
#define FIRST_PLACES 32
#define GRANULE_SHIFT 7
/* From this size on the index asks for huge pages: it is read at random. */
#define HUGE_BYTES ((size_t)2 << 20)

static inline size_t bucket_of(const struct blocktable *t, uint64_t addr)
{
	/* 2^64 / golden ratio: neighbouring granules end up far apart */
	return (size_t)(((addr >> GRANULE_SHIFT) * 0x9e3779b97f4a7c15u) >> t->shift);
}

static inline size_t bucket_mask(const struct blocktable *t)
{
	return ((size_t)1 << (64 - t->shift)) - 1;
}

static struct blocktable_bucket *buckets_new(unsigned log2)
{
	size_t bytes = sizeof(struct blocktable_bucket) << log2;
	bool is_huge = bytes >= HUGE_BYTES;
	void *p = aligned_alloc(is_huge ? HUGE_BYTES :
				sizeof(struct blocktable_bucket), bytes);

	/* no memory: xcalloc words it, and an unaligned index also works */
	if (!p)
		return xcalloc((size_t)1 << log2, sizeof(struct blocktable_bucket));
	if (is_huge)
		madvise(p, bytes, MADV_HUGEPAGE);
	memset(p, 0, bytes);
	return p;
}

/* Enter an address that is not in the index, which has room. */
static void index_put(struct blocktable *t, uint64_t addr, uint32_t place)
{
	size_t at = bucket_of(t, addr);

	for (;;) {
		struct blocktable_bucket *b = &t->buckets[at];

		for (unsigned i = 0; i < BUCKET_ENTRIES; i++) {
			if (b->block[i] == 0) {
				b->addr[i] = addr;
				b->block[i] = place;
				return;
			}
		}
		b->passed++;
		at = (at + 1) & bucket_mask(t);
	}
}

static void index_grow(struct blocktable *t)
{
	unsigned log2 = t->buckets ? 64 - t->shift + 1 : FIRST_BUCKETS_LOG2;

	free(t->buckets);
	t->buckets = buckets_new(log2);
	t->shift = 64 - log2;
	t->limit = (uint32_t)1 << (log2 + 1 < 31 ? log2 + 1 : 31);
	for (uint32_t i = 1; i < t->used; i++) {
		if (t->blocks[i].addr)
			index_put(t, t->blocks[i].addr, i);
	}
}

static uint32_t place_take(struct blocktable *t)
{
	uint32_t place = t->free_place;

	if (place) {
		t->free_place = (uint32_t)t->blocks[place].size;
		return place;
	}
	if (t->used >= t->capacity) {
		t->capacity = t->capacity ? t->capacity * 2 : FIRST_PLACES;
		/* a large realloc moves pages, it does not copy */
		t->blocks = xreallocarray(t->blocks, t->capacity,
					  sizeof(*t->blocks));
		if (!t->used) {
			memset(&t->blocks[0], 0, sizeof(t->blocks[0]));
			t->used = 1;
		}
	}
	return t->used++;
}

void blocktable_release(struct blocktable *t)
{
	free(t->buckets);
	free(t->blocks);
	*t = (struct blocktable){ 0 };
}

struct block *blocktable_insert(struct blocktable *t, uint64_t addr)
{
	struct blocktable_bucket *home, *to = NULL;
	unsigned entry = 0;
	uint32_t place;
	size_t at;

	if (t->count >= t->limit)
		index_grow(t);
	at = bucket_of(t, addr);
	home = &t->buckets[at];
	for (struct blocktable_bucket *b = home;; b = &t->buckets[at]) {
		for (unsigned i = 0; i < BUCKET_ENTRIES; i++) {
			if (b->block[i] == 0) {
				if (!to) {
					to = b;
					entry = i;
				}
			} else if (b->addr[i] == addr) {
				return NULL;
			}
		}
		at = (at + 1) & bucket_mask(t);
		/* once round: addresses chosen to make every bucket pass on */
		if (to && (!b->passed || &t->buckets[at] == home))
			break;
	}
	for (struct blocktable_bucket *b = home; b != to;) {
		b->passed++;
		at = (size_t)(b - t->buckets);
		b = &t->buckets[(at + 1) & bucket_mask(t)];
	}
	place = place_take(t);
	to->addr[entry] = addr;
	to->block[entry] = place;
	t->count++;
	t->blocks[place].addr = addr;
	return &t->blocks[place];
}

/* The entry of ADDR as bucket and *ENTRY, or NULL. */
static inline struct blocktable_bucket *index_find(const struct blocktable *t,
						   uint64_t addr, unsigned *entry)
{
	size_t start, at;

	if (!t->count || !t->buckets)
		return NULL;
	start = at = bucket_of(t, addr);
	for (;;) {
		struct blocktable_bucket *b = &t->buckets[at];

		for (unsigned i = 0; i < BUCKET_ENTRIES; i++) {
			if (b->addr[i] == addr && b->block[i]) {
				*entry = i;
				return b;
			}
		}
		at = (at + 1) & bucket_mask(t);
		if (!b->passed || at == start)
			return NULL;
	}
}

struct block *blocktable_find(const struct blocktable *t, uint64_t addr)
{
	unsigned entry;
	struct blocktable_bucket *b = index_find(t, addr, &entry);

	return b ? &t->blocks[b->block[entry]] : NULL;
}

bool blocktable_remove(struct blocktable *t, uint64_t addr, struct block *old)
{
	unsigned entry;
	struct blocktable_bucket *b = index_find(t, addr, &entry);
	uint32_t place;

	if (!b)
		return false;
	for (size_t at = bucket_of(t, addr); &t->buckets[at] != b;
	     at = (at + 1) & bucket_mask(t))
		t->buckets[at].passed--;
	place = b->block[entry];
	b->block[entry] = 0;
	t->count--;
	*old = t->blocks[place];
	t->blocks[place].addr = 0;
	t->blocks[place].size = t->free_place;
	t->free_place = place;
	return true;
}

void blocktable_freeze(struct blocktable *t)
{
	free(t->buckets);
	t->buckets = NULL;
	t->limit = 0;
}

const struct block *blocktable_next(const struct blocktable *t, uint32_t *cursor)
{
	for (uint32_t i = *cursor + 1; i < t->used; i++) {
		if (t->blocks[i].addr) {
			*cursor = i;
			return &t->blocks[i];
		}
	}
	*cursor = t->used;
	return NULL;
}
