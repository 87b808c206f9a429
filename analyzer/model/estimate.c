/*
 * estimate.c - see estimate.h. Relies on a block's address, size and birth stamp
 * being the same at its release as at its acquire. Promises that live sums come
 * back to 0 when all is released.
 */
#include "model/estimate.h"

#include <math.h>

/* Beyond any that `record` takes: keeps weights of damaged recordings within 64 bits. */
#define MEAN_MAX ((uint64_t)1 << 40)

/* A number in [0, 1) that depends on B only (splitmix64). */
static double block_dice(const struct block *b)
{
	uint64_t z = b->addr ^ b->birth_stamp * 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

struct amount estimate_weight(const struct block *b, uint64_t mean)
{
	double per_block, whole;

	if (!mean)
		return (struct amount){ 1, b->size };
	if (mean > MEAN_MAX)
		mean = MEAN_MAX;
	per_block = -1 / expm1(-(double)(b->size ? b->size : 1) / (double)mean);
	whole = floor(per_block);
	return (struct amount){
		.blocks = (uint64_t)whole + (block_dice(b) < per_block - whole),
		.bytes = (uint64_t)llround(per_block * (double)b->size),
	};
}

static void total_add(struct amount *a, struct amount w)
{
	a->blocks = sum_saturated(a->blocks, w.blocks);
	a->bytes = sum_saturated(a->bytes, w.bytes);
}

/* Live sums do not saturate: what was added is taken away again, modulo 2^64. */
static void live_add(struct amount *a, struct amount w)
{
	a->blocks += w.blocks;
	a->bytes += w.bytes;
}

static void live_subtract(struct amount *a, struct amount w)
{
	a->blocks -= w.blocks;
	a->bytes -= w.bytes;
}

/* See heap.massif_peak_bytes. */
static uint64_t massif_measure(const struct block *b, struct amount w)
{
	uint64_t one = ((b->size + 15) & ~(uint64_t)15) + (uint64_t)b->massif_excess * 16 + 8;

	return w.bytes + w.blocks * (one - b->size);
}

/* The majority vote of heap.c, with W.blocks votes at once. */
static void vote_size(struct site *s, uint64_t size, struct amount w)
{
	if (s->main_size == size && s->main_votes) {
		s->main_votes += w.blocks;
		s->main_blocks += w.blocks;
	} else if (s->main_votes >= w.blocks) {
		s->main_votes -= w.blocks;
	} else {
		s->main_size = size;
		s->main_votes = w.blocks - s->main_votes;
		s->main_blocks = s->main_votes;
	}
}

bool estimate_acquire(struct heap_state *h, const struct block *b, uint64_t usable)
{
	struct heap *p = &h->public;
	struct amount w = estimate_weight(b, p->sampling_bytes);
	struct site *s = &p->sites[b->site];
	uint64_t usable_bytes = sum_saturated(w.bytes, product_saturated(w.blocks,
							difference(usable, b->size)));

	heap_save_site(h, s);
	total_add(&s->total, w);
	live_add(&s->live, w);
	s->usable_bytes = sum_saturated(s->usable_bytes, usable_bytes);
	vote_size(s, b->size, w);
	total_add(&p->total, w);
	live_add(&p->live, w);
	total_add(&p->by_class[b->cls], w);
	p->usable_live += w.bytes + w.blocks * b->slack;
	h->public.massif_live_bytes += massif_measure(b, w);
	if (h->wants_sizes)
		sizetable_add_many(&h->sizes, b->size, w, usable_bytes);
	return heap_check_peaks(h, b->birth_stamp);
}

void estimate_release(struct heap_state *h, const struct block *b, uint64_t stamp)
{
	struct heap *p = &h->public;
	struct amount w = estimate_weight(b, p->sampling_bytes);
	struct site *s = &p->sites[b->site];

	heap_save_site(h, s);
	live_subtract(&s->live, w);
	total_add(&s->freed, w);
	s->lifetime_ticks = sum_saturated(s->lifetime_ticks,
		product_saturated(w.blocks, difference(stamp, b->birth_stamp)));
	live_subtract(&p->live, w);
	total_add(&p->freed, w);
	p->usable_live -= w.bytes + w.blocks * b->slack;
	h->public.massif_live_bytes -= massif_measure(b, w);
}
