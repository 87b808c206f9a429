/*
 * heap.h - what the replay keeps of one image beside struct heap: live blocks,
 * mappings, and the two sums that every event moves. Accounting is apart from the
 * table: heap_count_acquire and heap_count_release move figures only, so that a
 * realloc under way keeps its old block in `live` while the address is free.
 *
 * Peaks in one pass: a new peak only raises the heap's epoch; a site whose own
 * epoch is older saves its live figures before they change. heap_finish saves
 * the rest.
 *
 *	public.live = public.inherited + public.total - public.freed
 *	sum over sites of KIND_HEAP of live = public.live; peak, end likewise
 */
#ifndef MODEL_HEAP_H
#define MODEL_HEAP_H

#include "model/blocktable.h"
#include "model/mappings.h"
#include "model/replay.h"
#include "model/sitetable.h"
#include "model/sizetable.h"
#include "model/valgrind_arena.h"

struct held;
struct inheritance;

struct heap_state {
	struct heap public;          /* first: replay.h hands out pointers to it */
	struct blocktable blocks;
	struct sitetable sites;
	uint32_t peak_epoch, massif_epoch, mapped_epoch;
	bool wants_sizes;
	bool break_went_up;          /* direction of the last change */
	bool is_massif_open;         /* nothing was released since massif_peak */
	bool has_ended;              /* its last event has passed */
	size_t held_count;           /* skew.c: waiting acquires and releases */
	struct held *held;
	uint64_t skew_ticks;         /* how long they wait */
	struct sizetable sizes;
	struct mappings mappings;
	struct inheritance *inheritance; /* inherit.c; NULL: no fork concerns this image */
};

static inline struct heap_state *heap_state_of(const struct heap *h)
{
	return (struct heap_state *)h;
}

/* Changes of one event: items[0] is the event's own. */
struct change_list {
	struct change *items;
	size_t count, capacity;
};

/* A further change of HEAP, empty. May move the others. */
struct change *change_list_add(struct change_list *list, struct heap_state *heap);

/* Begin the life of H for IMAGE; all zero before. */
void heap_init(struct heap_state *h, const struct image *image,
	       struct site_index *index, unsigned wants, uint64_t skew_ticks);
void heap_release(struct heap_state *h);

/* Peak and end figures of all sites, the size rows. Once, after the last event. */
void heap_finish(struct heap_state *h);

/* The site of STACK. */
static inline site_id heap_site(struct heap_state *h, stack_id stack,
				enum alloc_kind kind)
{
	return sitetable_get(&h->sites, &h->public, stack, kind);
}

/* B is so large that Massif counts whole pages for it. */
void heap_huge_room(struct block *b);

/* What Massif counts for B, which is new, beside its size: see heap.massif_peak_bytes. */
static inline void heap_first_room(struct block *b)
{
	if (__builtin_expect(b->size > VALGRIND_SPLIT_MAX, 0))
		heap_huge_room(b);
}

/* B is OLD after a realloc: what Massif counts for it includes the room that OLD had. */
void heap_keep_room(struct block *b, const struct block *old);

/* B was acquired: totals, live, peaks. USABLE in bytes. Returns true for a new peak. */
bool heap_count_acquire(struct heap_state *h, const struct block *b, uint64_t usable);

/* B is gone at STAMP. */
void heap_count_release(struct heap_state *h, const struct block *b,
			uint64_t stamp, bool is_temporary);

/* BYTES were mapped by the program at SITE. */
void heap_count_mapped(struct heap_state *h, site_id site, uint64_t bytes);

/* BYTES of a mapping of SITE born at BIRTH are gone; IS_LAST: and so is the mapping. */
void heap_count_unmapped(struct heap_state *h, site_id site, uint64_t bytes,
			 bool is_last, uint64_t lifetime_ticks);

/* Take what is live at STAMP as a peak where it is one. Returns true for the heap's. */
bool heap_check_peaks(struct heap_state *h, uint64_t stamp);

/* Before figures of S change for another reason than the above (inheritance). */
void heap_save_site(struct heap_state *h, struct site *s);

/* a + b, at most UINT64_MAX: for sums that only grow. */
static inline uint64_t sum_saturated(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* a * b, at most UINT64_MAX. */
static inline uint64_t product_saturated(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

/* a - b, at least 0. */
static inline uint64_t difference(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

#endif
