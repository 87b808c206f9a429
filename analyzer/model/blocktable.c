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
#define GRANULE_SHIFT 8  /* addresses of 256 bytes share a bucket */
#define WINDOW_SHIFT 14  /* and those of 16 KiB lie in 64 buckets in a row */
/* From this size on the index asks for huge pages: it is read at random. */
#define HUGE_BYTES ((size_t)2 << 20)

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
		if (b->tag[i] == tag && blocktable_place(t, b->place[i])->addr == addr)
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

/* BYTES in cache lines, in huge pages where that is worth it. */
static void *lines_new(size_t bytes)
{
	bool is_huge = bytes >= HUGE_BYTES;
	void *p;

	/* no memory: xmalloc words it; unaligned lines also work */
	if (posix_memalign(&p, is_huge ? HUGE_BYTES : 64, bytes) != 0)
		return xmalloc(bytes);
	if (is_huge)
		madvise(p, bytes, MADV_HUGEPAGE);
	return p;
}

static struct blocktable_bucket *buckets_new(unsigned log2)
{
	size_t bytes = sizeof(struct blocktable_bucket) << log2;

	return memset(lines_new(bytes), 0, bytes);
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

/* Apart from its caller, which every acquire passes through. */
static __attribute__((noinline)) void index_grow(struct blocktable *t)
{
	unsigned log2 = FIRST_BUCKETS_LOG2;
	uint64_t limit;

	while ((uint64_t)BUCKET_LOAD << log2 <= t->count)
		log2++;
	limit = (uint64_t)BUCKET_LOAD << log2;
	free(t->buckets);
	t->buckets = buckets_new(log2);
	t->shift = 64 - log2;
	t->limit = limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX;
	for (uint32_t i = 1; i < t->used; i++) {
		uint64_t addr = blocktable_place(t, i)->addr;

		if (addr)
			index_put(t, addr, i);
	}
}

/* More places. The first chunk doubles until it is whole; then chunks are added. */
static __attribute__((noinline)) void places_grow(struct blocktable *t)
{
	if (t->capacity < CHUNK_PLACES) {
		uint32_t capacity = t->capacity ? t->capacity * 2 : FIRST_PLACES;
		struct block *chunk = lines_new(capacity * sizeof(*chunk));

		if (!t->chunks)
			t->chunks = xcalloc(1, sizeof(*t->chunks));
		memset(chunk, 0, sizeof(*chunk)); /* place 0 */
		if (t->used)
			memcpy(chunk, t->chunks[0], t->used * sizeof(*chunk));
		else
			t->used = 1;
		free(t->chunks[0]);
		t->chunks[0] = chunk;
		t->chunk_count = 1;
		t->capacity = capacity;
		return;
	}
	t->chunks = xreallocarray(t->chunks, t->chunk_count + 1, sizeof(*t->chunks));
	t->chunks[t->chunk_count++] = lines_new(CHUNK_PLACES * sizeof(struct block));
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
	free(t->buckets);
	for (uint32_t i = 0; i < t->chunk_count; i++)
		free(t->chunks[i]);
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
	free(t->buckets);
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
