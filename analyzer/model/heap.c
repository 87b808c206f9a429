/*
 * heap.c - see heap.h: the figures of one image. Relies on the replay to call
 * heap_count_release only with blocks that were counted. Promises O(1) per event
 * and exact peaks.
 */
#include "model/heap.h"

#include <stdlib.h>

#include "base/xmem.h"
#include "model/estimate.h"
#include "model/inherit.h"
#include "model/unmatched.h"

/* What valgrind's massif counts for B: see heap.massif_peak_bytes. */
static inline uint64_t massif_measure(const struct block *b)
{
	return ((b->size + 15) & ~(uint64_t)15) + (uint64_t)b->massif_excess * 16 + 8;
}

#define MASSIF_EXCESS_MAX ((1u << 24) - 1)

struct change *change_list_add(struct change_list *list, struct heap_state *heap)
{
	struct change *c;

	xgrow(&list->items, &list->capacity, list->count, sizeof(*list->items));
	c = &list->items[list->count++];
	*c = (struct change){ .heap = heap ? &heap->public : NULL };
	return c;
}

void heap_keep_room(struct block *b, const struct block *old)
{
	uint64_t units = (b->size + 15) / 16;
	uint64_t had = (old->size + 15) / 16 + old->massif_excess;
	uint64_t excess = difference(had, units);

	if (had >= units)
		b->massif_excess = excess < MASSIF_EXCESS_MAX ? excess : MASSIF_EXCESS_MAX;
}

void heap_huge_room(struct block *b)
{
	uint64_t units = (b->size + 15) / 16;

	b->massif_excess = (uint32_t)(valgrind_room(b->size) / 16 - units);
}

void heap_init(struct heap_state *h, const struct image *image,
	       struct site_index *index, unsigned wants, uint64_t skew_ticks)
{
	h->public.image = image;
	h->sites.index = index;
	h->wants_sizes = wants & REPLAY_SIZES;
	h->skew_ticks = skew_ticks;
	h->peak_epoch = h->massif_epoch = h->mapped_epoch = 1;
	h->public.break_start = h->public.break_now = h->public.break_peak =
		image->initial_break;
}

void heap_release(struct heap_state *h)
{
	unmatched_free(h->public.unmatched);
	blocktable_release(&h->blocks);
	sitetable_release(&h->sites, &h->public);
	sizetable_release(&h->sizes);
	mappings_release(&h->mappings);
	inherit_release(h);
	free(h->held);
	free(h->public.sizes);
}

static inline void save_peaks(struct heap_state *h, struct site *s)
{
	if (s->peak_epoch != h->peak_epoch) {
		s->peak = s->live;
		s->peak_epoch = h->peak_epoch;
	}
	if (s->massif_epoch != h->massif_epoch) {
		s->massif_peak = s->live;
		s->massif_epoch = h->massif_epoch;
	}
}

static inline void save_mapped_peak(struct heap_state *h, struct site *s)
{
	if (s->peak_epoch != h->mapped_epoch) {
		s->peak = s->live;
		s->peak_epoch = h->mapped_epoch;
	}
}

void heap_save_site(struct heap_state *h, struct site *s)
{
	if (s->kind == KIND_HEAP)
		save_peaks(h, s);
	else
		save_mapped_peak(h, s);
}

static inline void amount_add(struct amount *a, uint64_t bytes)
{
	a->blocks++;
	a->bytes = sum_saturated(a->bytes, bytes);
}

/* Live sums do not saturate: what was added is taken away again, modulo 2^64. */
static inline void live_add(struct amount *a, uint64_t bytes)
{
	a->blocks++;
	a->bytes += bytes;
}

static inline void live_subtract(struct amount *a, uint64_t bytes)
{
	a->blocks--;
	a->bytes -= bytes;
}

/* Without branches on the size, which no branch predictor could guess. */
static inline void vote_size(struct site *s, uint64_t size)
{
	bool is_open = s->main_votes == 0;
	bool is_same = s->main_size == size && !is_open;

	s->main_size = is_open ? size : s->main_size;
	s->main_blocks = is_open ? 1 : s->main_blocks + is_same;
	s->main_votes += (is_open | is_same) ? 1 : (uint64_t)-1;
}

static inline bool check_heap_peaks(struct heap_state *h, uint64_t stamp)
{
	struct heap *p = &h->public;
	/* DHAT takes the latest of equal peaks, Massif the first */
	bool is_peak = p->live.bytes >= p->peak.bytes;

	if (is_peak) {
		p->peak = p->live;
		p->peak_stamp = stamp;
		p->usable_peak = p->usable_live;
		h->peak_epoch++;
	}
	/* within the room of a block its useful part may still grow */
	if (p->massif_live_bytes > p->massif_peak_bytes ||
	    (h->is_massif_open && p->massif_live_bytes == p->massif_peak_bytes)) {
		h->is_massif_open = true;
		p->massif_peak = p->live;
		p->massif_peak_bytes = p->massif_live_bytes;
		p->massif_peak_stamp = stamp;
		h->massif_epoch++;
	}
	return is_peak;
}

static void check_mapped_peak(struct heap_state *h)
{
	struct heap *p = &h->public;

	if (p->mapped_live.bytes >= p->mapped_peak.bytes) {
		p->mapped_peak = p->mapped_live;
		h->mapped_epoch++;
	}
}

bool heap_check_peaks(struct heap_state *h, uint64_t stamp)
{
	check_mapped_peak(h);
	return check_heap_peaks(h, stamp);
}

bool heap_count_acquire(struct heap_state *h, const struct block *b, uint64_t usable)
{
	struct heap *p = &h->public;
	struct site *s = &p->sites[b->site];

	if (__builtin_expect(p->sampling_bytes != 0, 0))
		return estimate_acquire(h, b, usable);
	save_peaks(h, s);
	amount_add(&s->total, b->size);
	live_add(&s->live, b->size);
	s->usable_bytes = sum_saturated(s->usable_bytes, usable);
	vote_size(s, b->size);

	amount_add(&p->total, b->size);
	live_add(&p->live, b->size);
	amount_add(&p->by_class[b->cls], b->size);
	p->usable_live += b->size + b->slack;
	p->massif_live_bytes += massif_measure(b);
	if (h->wants_sizes)
		sizetable_add(&h->sizes, b->size, usable);

	return check_heap_peaks(h, b->birth_stamp);
}

void heap_count_release(struct heap_state *h, const struct block *b,
			uint64_t stamp, bool is_temporary)
{
	struct heap *p = &h->public;
	struct site *s = &p->sites[b->site];

	if (__builtin_expect(p->sampling_bytes != 0, 0)) {
		estimate_release(h, b, stamp);
		return;
	}
	save_peaks(h, s);
	live_subtract(&s->live, b->size);
	amount_add(&s->freed, b->size);
	s->lifetime_ticks = sum_saturated(s->lifetime_ticks,
					  difference(stamp, b->birth_stamp));
	live_subtract(&p->live, b->size);
	amount_add(&p->freed, b->size);
	p->usable_live -= b->size + b->slack;
	p->massif_live_bytes -= massif_measure(b);
	h->is_massif_open = false;
	if (is_temporary) {
		amount_add(&s->temporary, b->size);
		amount_add(&p->temporary, b->size);
	}
}

void heap_count_mapped(struct heap_state *h, site_id site, uint64_t bytes)
{
	struct heap *p = &h->public;
	struct site *s = &p->sites[site];

	save_mapped_peak(h, s);
	amount_add(&s->total, bytes);
	live_add(&s->live, bytes);
	s->usable_bytes = sum_saturated(s->usable_bytes, bytes);
	vote_size(s, bytes);
	amount_add(&p->mapped_total, bytes);
	live_add(&p->mapped_live, bytes);
	check_mapped_peak(h);
}

void heap_count_unmapped(struct heap_state *h, site_id site, uint64_t bytes,
			 bool is_last, uint64_t lifetime_ticks)
{
	struct heap *p = &h->public;
	struct site *s = &p->sites[site];

	save_mapped_peak(h, s);
	s->live.bytes -= bytes;
	s->freed.bytes = sum_saturated(s->freed.bytes, bytes);
	p->mapped_live.bytes -= bytes;
	if (!is_last)
		return;
	s->live.blocks--;
	s->freed.blocks++;
	p->mapped_live.blocks--;
	s->lifetime_ticks = sum_saturated(s->lifetime_ticks, lifetime_ticks);
}

void heap_finish(struct heap_state *h)
{
	struct heap *p = &h->public;

	for (size_t i = 0; i < p->site_count; i++) {
		heap_save_site(h, &p->sites[i]);
		p->sites[i].end = p->sites[i].live;
	}
	p->end = p->live;
	p->mapped_end = p->mapped_live;
	if (h->wants_sizes && !p->sizes)
		p->sizes = sizetable_take(&h->sizes, &p->size_count);
}
