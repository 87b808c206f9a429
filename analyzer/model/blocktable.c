/*
 * blocktable.c - see blocktable.h. Relies on addresses being non-zero, which
 * blockcalls.c sees to. Promises O(1) per operation while at most six of ten
 * entries are in use, and no allocation but when it grows.
 */
#include "model/blocktable.h"

#include <stdlib.h>
#include <string.h>

#include "base/pages.h"
#include "base/xmem.h"

#define FIRST_BUCKETS_LOG2 2
#define FIRST_PLACES 32
#define BUCKET_LOAD 6
#define GRANULE_SHIFT 8  /* addresses of 256 bytes share a bucket */
#define WINDOW_SHIFT 14  /* and those of 16 KiB lie in 64 buckets in a row */
/* How far ahead of its entry a bucket is asked for while the index is made anew. */
#define REHASH_AHEAD 16

/* Four tags at a time, in one word. */
#define LANES_LOW 0x0001000100010001u
#define LANES_HIGH 0x8000800080008000u

static inline size_t bucket_mask(const struct blocktable *t)
{
	return ((size_t)1 << (64 - t->shift)) - 1;
}

static inline size_t bucket_of(const struct blocktable *t, uint64_t addr)
{
	/* 2^64 / golden ratio: neighbouring windows end up far apart */
	uint64_t window = (addr >> WINDOW_SHIFT) * 0x9e3779b97f4a7c15u;
	size_t granule = (addr >> GRANULE_SHIFT) & 63;

	return ((size_t)(window >> t->shift) + granule) & bucket_mask(t);
}

static inline uint16_t tag_of(uint64_t addr)
{
	/* never 0; all bits of the address within its granule count */
	return (uint16_t)((addr * 0xd6e8feb86659fd93u) >> 44) | 1;
}

/*
 * Where an address that found AT full goes on. Not to the next bucket: windows of
 * small blocks are full in a row. TAG is odd, so that every bucket is reached.
 */
static inline size_t bucket_after(const struct blocktable *t, size_t at, uint16_t tag)
{
	return (at + tag) & bucket_mask(t);
}

/*
 * A bit for each entry of B whose tag may be TAG: bit 16 * i + w for entry i of
 * word w. May also say so of an entry of the same word after a true one, so the
 * lowest bit is always true; for others the caller compares. In one word, since
 * no branch predictor could guess where in a bucket an entry is.
 */
static inline uint64_t tag_match(const struct blocktable_bucket *b, uint16_t tag)
{
	uint64_t w[3], pattern = tag * LANES_LOW;

	/* the third word runs into the places: two of its lanes are tags */
	memcpy(w, b, sizeof(w));
	w[0] ^= pattern;
	w[1] ^= pattern;
	w[2] ^= pattern;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#error "lanes are counted from the low end"
#endif
	return ((w[0] - LANES_LOW) & ~w[0] & LANES_HIGH) >> 15 |
	       ((w[1] - LANES_LOW) & ~w[1] & LANES_HIGH) >> 14 |
	       ((w[2] - LANES_LOW) & ~w[2] & (LANES_HIGH & 0xffffffffu)) >> 13;
}

/* The entry of the lowest bit of MATCH, which is not 0. */
static inline int match_entry(uint64_t match)
{
	int bit = __builtin_ctzll(match);

	return (bit & 15) * 4 + (bit >> 4);
}

/* The entry of ADDR in B, or -1. */
static inline int bucket_find(const struct blocktable *t,
			      const struct blocktable_bucket *b, uint64_t addr,
			      uint16_t tag)
{
	for (uint64_t match = tag_match(b, tag); match; match &= match - 1) {
		int i = match_entry(match);

		if (b->tag[i] == tag && blocktable_place(t, b->place[i])->addr == addr)
			return i;
	}
	return -1;
}

/* A free entry of B, or -1. */
static inline int bucket_room(const struct blocktable_bucket *b)
{
	uint64_t match = tag_match(b, 0);

	return match ? match_entry(match) : -1;
}

/* Enter an address that is not in the index, which has room. */
static void index_put(struct blocktable *t, uint64_t addr, uint32_t place)
{
	size_t at = bucket_of(t, addr);
	uint16_t tag = tag_of(addr);
	struct blocktable_bucket *b;
	int i;

	for (;;) {
		b = &t->buckets[at];
		i = bucket_room(b);
		if (i >= 0)
			break;
		b->passed++;
		at = bucket_after(t, at, tag);
	}
	b->tag[i] = tag;
	b->place[i] = place;
}

static size_t index_bytes(const struct blocktable *t)
{
	return t->buckets ? sizeof(*t->buckets) * (bucket_mask(t) + 1) : 0;
}

/* Apart from its caller, which every acquire passes through. */
static __attribute__((noinline)) void index_grow(struct blocktable *t)
{
	size_t old = index_bytes(t);
	unsigned log2 = FIRST_BUCKETS_LOG2;
	uint64_t limit;

	while ((uint64_t)BUCKET_LOAD << log2 <= t->count)
		log2++;
	limit = (uint64_t)BUCKET_LOAD << log2;
	/* in place: the pages that are there need not be asked for again */
	if (old)
		memset(t->buckets, 0, old);
	t->buckets = pages_grow(t->buckets, old, sizeof(*t->buckets) << log2);
	t->shift = 64 - log2;
	t->limit = limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX;
	for (uint32_t i = 1; i < t->used; i++) {
		uint64_t addr = blocktable_place(t, i)->addr;

		if (i + REHASH_AHEAD < t->used)
			__builtin_prefetch(&t->buckets[bucket_of(t,
				blocktable_place(t, i + REHASH_AHEAD)->addr)], 1);
		if (addr)
			index_put(t, addr, i);
	}
}

/* Of each chunk: only the first may be smaller than the others. */
static size_t chunk_bytes(const struct blocktable *t)
{
	size_t places = t->capacity < CHUNK_PLACES ? t->capacity : CHUNK_PLACES;

	return places * sizeof(struct block);
}

/* More places. The first chunk doubles until it is whole; then chunks are added. */
static __attribute__((noinline)) void places_grow(struct blocktable *t)
{
	if (t->capacity < CHUNK_PLACES) {
		uint32_t capacity = t->capacity ? t->capacity * 2 : FIRST_PLACES;

		if (!t->chunks)
			t->chunks = xcalloc(1, sizeof(*t->chunks));
		t->chunks[0] = pages_grow(t->chunks[0], chunk_bytes(t),
					  capacity * sizeof(struct block));
		if (!t->used)
			t->used = 1;
		t->chunk_count = 1;
		t->capacity = capacity;
		return;
	}
	t->chunks = xreallocarray(t->chunks, t->chunk_count + 1, sizeof(*t->chunks));
	t->chunks[t->chunk_count++] = pages_new(CHUNK_PLACES * sizeof(struct block));
	t->capacity += CHUNK_PLACES;
}

static uint32_t place_take(struct blocktable *t)
{
	uint32_t place = t->free_place;

	if (place) {
		t->free_place = (uint32_t)blocktable_place(t, place)->size;
		return place;
	}
	if (t->used >= t->capacity)
		places_grow(t);
	return t->used++;
}

void blocktable_release(struct blocktable *t)
{
	blocktable_freeze(t);
	for (uint32_t i = 0; i < t->chunk_count; i++)
		pages_free(t->chunks[i], chunk_bytes(t));
	free(t->chunks);
	*t = (struct blocktable){ 0 };
}

struct block *blocktable_insert(struct blocktable *t, uint64_t addr)
{
	struct blocktable_bucket *home, *b, *to = NULL;
	uint16_t tag = tag_of(addr);
	struct block *block;
	uint32_t place;
	size_t at;
	int entry = 0;

	if (t->count >= t->limit)
		index_grow(t);
	at = bucket_of(t, addr);
	home = b = &t->buckets[at];
	do {
		if (bucket_find(t, b, addr, tag) >= 0)
			return NULL;
		if (!to) {
			entry = bucket_room(b);
			if (entry >= 0)
				to = b;
		}
		if (to && !b->passed)
			break;
		at = bucket_after(t, at, tag);
		b = &t->buckets[at];
		/* once round: addresses chosen to make every bucket pass on */
	} while (!to || b != home);
	for (b = home; b != to;) {
		b->passed++;
		at = bucket_after(t, (size_t)(b - t->buckets), tag);
		b = &t->buckets[at];
	}
	place = place_take(t);
	to->tag[entry] = tag;
	to->place[entry] = place;
	t->count++;
	block = blocktable_place(t, place);
	block->addr = addr;
	return block;
}

/* The bucket and *ENTRY of ADDR, or NULL. */
static inline struct blocktable_bucket *index_find(const struct blocktable *t,
						   uint64_t addr, int *entry)
{
	struct blocktable_bucket *b;
	size_t start, at;
	uint16_t tag = tag_of(addr);

	if (!t->count || !t->buckets)
		return NULL;
	start = at = bucket_of(t, addr);
	do {
		b = &t->buckets[at];
		*entry = bucket_find(t, b, addr, tag);
		if (*entry >= 0)
			return b;
		at = bucket_after(t, at, tag);
	} while (b->passed && at != start);
	return NULL;
}

struct block *blocktable_find(const struct blocktable *t, uint64_t addr)
{
	int entry;
	struct blocktable_bucket *b = index_find(t, addr, &entry);

	return b ? blocktable_place(t, b->place[entry]) : NULL;
}

bool blocktable_remove(struct blocktable *t, uint64_t addr, struct block *old)
{
	int entry;
	struct blocktable_bucket *b = index_find(t, addr, &entry);
	struct block *block;
	uint32_t place;

	if (!b)
		return false;
	for (size_t at = bucket_of(t, addr); &t->buckets[at] != b;
	     at = bucket_after(t, at, tag_of(addr)))
		t->buckets[at].passed--;
	place = b->place[entry];
	b->tag[entry] = 0;
	t->count--;
	block = blocktable_place(t, place);
	*old = *block;
	block->addr = 0;
	block->size = t->free_place;
	t->free_place = place;
	return true;
}

void blocktable_freeze(struct blocktable *t)
{
	pages_free(t->buckets, index_bytes(t));
	t->buckets = NULL;
	t->limit = 0;
}

const struct block *blocktable_next(const struct blocktable *t, uint32_t *cursor)
{
	for (uint32_t i = *cursor + 1; i < t->used; i++) {
		const struct block *b = blocktable_place(t, i);

		if (b->addr) {
			*cursor = i;
			return b;
		}
	}
	*cursor = t->used;
	return NULL;
}
