/*
 * blocktable.c - see blocktable.h. Relies on addresses being non-zero, which
 * blockcalls.c sees to. Promises O(1) per operation while at most six of ten
 * entries are in use, and no allocation but when it grows.
 */
#include "model/blocktable.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/xmem.h"

#define FIRST_BUCKETS_LOG2 2
#define FIRST_PLACES 32
#define BUCKET_LOAD 6
#define GRANULE_SHIFT 8
/* From this size on the index asks for huge pages: it is read at random. */
#define HUGE_BYTES ((size_t)2 << 20)

/* Four tags at a time, in one word. */
#define LANES_LOW 0x0001000100010001u
#define LANES_HIGH 0x8000800080008000u

static inline size_t bucket_of(const struct blocktable *t, uint64_t addr)
{
	/* 2^64 / golden ratio: neighbouring granules end up far apart */
	return (size_t)(((addr >> GRANULE_SHIFT) * 0x9e3779b97f4a7c15u) >> t->shift);
}

static inline uint16_t tag_of(uint64_t addr)
{
	/* never 0; all bits of the address within its granule count */
	return (uint16_t)((addr * 0xd6e8feb86659fd93u) >> 44) | 1;
}

static inline size_t bucket_mask(const struct blocktable *t)
{
	return ((size_t)1 << (64 - t->shift)) - 1;
}

/*
 * A bit for each entry of B whose tag may be TAG: bit 16 * i + 15 of *LOW for
 * entries 0..3, of *MIDDLE for 4..7, of the result for 8 and 9. May also say so
 * of the entry after a true one: the caller compares.
 */
static inline uint64_t tag_match(const struct blocktable_bucket *b, uint16_t tag,
				 uint64_t *low, uint64_t *middle)
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
	*low = (w[0] - LANES_LOW) & ~w[0] & LANES_HIGH;
	*middle = (w[1] - LANES_LOW) & ~w[1] & LANES_HIGH;
	return (w[2] - LANES_LOW) & ~w[2] & (LANES_HIGH & 0xffffffffu);
}

/* The first entry of B from *LOW, *MIDDLE and HIGH, taken off; -1: none left. */
static inline int next_match(uint64_t *low, uint64_t *middle, uint64_t *high)
{
	int entry;

	if (*low) {
		entry = __builtin_ctzll(*low) >> 4;
		*low &= *low - 1;
	} else if (*middle) {
		entry = 4 + (__builtin_ctzll(*middle) >> 4);
		*middle &= *middle - 1;
	} else if (*high) {
		entry = 8 + (__builtin_ctzll(*high) >> 4);
		*high &= *high - 1;
	} else {
		return -1;
	}
	return entry;
}

/* The entry of ADDR in B, or -1. */
static inline int bucket_find(const struct blocktable *t,
			      const struct blocktable_bucket *b, uint64_t addr,
			      uint16_t tag)
{
	uint64_t low, middle, high = tag_match(b, tag, &low, &middle);
	int i;

	while ((i = next_match(&low, &middle, &high)) >= 0) {
		if (b->tag[i] == tag && t->blocks[b->place[i]].addr == addr)
			return i;
	}
	return -1;
}

/* A free entry of B, or -1. */
static inline int bucket_room(const struct blocktable_bucket *b)
{
	uint64_t low, middle, high = tag_match(b, 0, &low, &middle);

	/* the lowest match is always a true one */
	return next_match(&low, &middle, &high);
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
	struct blocktable_bucket *b;
	int i;

	for (;;) {
		b = &t->buckets[at];
		i = bucket_room(b);
		if (i >= 0)
			break;
		b->passed++;
		at = (at + 1) & bucket_mask(t);
	}
	b->tag[i] = tag_of(addr);
	b->place[i] = place;
}

static void index_grow(struct blocktable *t)
{
	unsigned log2 = t->buckets ? 64 - t->shift + 1 : FIRST_BUCKETS_LOG2;
	uint64_t limit = (uint64_t)BUCKET_LOAD << log2;

	free(t->buckets);
	t->buckets = buckets_new(log2);
	t->shift = 64 - log2;
	t->limit = limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX;
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
	struct blocktable_bucket *home, *b, *to = NULL;
	uint16_t tag = tag_of(addr);
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
		at = (at + 1) & bucket_mask(t);
		b = &t->buckets[at];
		/* once round: addresses chosen to make every bucket pass on */
	} while (!to || b != home);
	for (b = home; b != to;) {
		b->passed++;
		at = ((size_t)(b - t->buckets) + 1) & bucket_mask(t);
		b = &t->buckets[at];
	}
	place = place_take(t);
	to->tag[entry] = tag;
	to->place[entry] = place;
	t->count++;
	t->blocks[place].addr = addr;
	return &t->blocks[place];
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
		at = (at + 1) & bucket_mask(t);
	} while (b->passed && at != start);
	return NULL;
}

struct block *blocktable_find(const struct blocktable *t, uint64_t addr)
{
	int entry;
	struct blocktable_bucket *b = index_find(t, addr, &entry);

	return b ? &t->blocks[b->place[entry]] : NULL;
}

bool blocktable_remove(struct blocktable *t, uint64_t addr, struct block *old)
{
	int entry;
	struct blocktable_bucket *b = index_find(t, addr, &entry);
	uint32_t place;

	if (!b)
		return false;
	for (size_t at = bucket_of(t, addr); &t->buckets[at] != b;
	     at = (at + 1) & bucket_mask(t))
		t->buckets[at].passed--;
	place = b->place[entry];
	b->tag[entry] = 0;
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
