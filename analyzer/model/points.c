/*
 * points.c - see points.h. Relies on a block's origin (struct block) and on what
 * struct change says of reallocs. Promises O(1) per event, exact maxima and exact
 * sums: a sum of lifetimes is the integral of the live blocks over time, taken up
 * at each change of a point, so it needs nothing per block.
 */
#include "model/points.h"

#include <stdlib.h>

#include "base/pages.h"
#include "base/xmem.h"

/* B in blocks and bytes as DHAT counts it. */
static inline struct amount weight(const struct points *p, const struct block *b)
{
	struct amount w = { 1, b->size };

	if (__builtin_expect(p->heap->sampling_bytes != 0, 0))
		w = replay_weight(p->heap, b);
	if (b->size == 0)
		w.bytes = w.blocks;
	return w;
}

/* The point of SITE, with its sums taken up to now. */
static inline struct point *touch(struct points *p, site_id site)
{
	struct point *pt;

	if (site >= p->count) {
		pages_extend(&p->items, &p->capacity, site, sizeof(*p->items));
		p->count = (size_t)site + 1;
	}
	pt = &p->items[site];
	if (pt->epoch != p->epoch) {
		pt->peak = pt->live;
		pt->epoch = p->epoch;
	}
	pt->lifetimes += (points_sum)pt->live.blocks * (p->now - pt->changed);
	pt->changed = p->now;
	return pt;
}

/* Live figures have grown, or changed by a realloc. */
static inline void check_maxima(struct points *p, struct point *pt)
{
	if (pt->live.bytes >= pt->max.bytes)
		pt->max = pt->live;
	if (p->live.bytes < p->peak.bytes)
		return;
	p->peak = p->live;
	p->peak_time = p->now - p->start;
	p->epoch++;
	pt->valgrind_max = pt->live;
}

static inline void amount_add(struct amount *a, struct amount w)
{
	a->blocks += w.blocks;
	a->bytes += w.bytes;
}

/* A window may begin between the halves of a realloc: its old block was not seen to live. */
static inline void amount_subtract(struct amount *a, struct amount w)
{
	a->blocks = a->blocks > w.blocks ? a->blocks - w.blocks : 0;
	a->bytes = a->bytes > w.bytes ? a->bytes - w.bytes : 0;
}

/* ---- when a block was born ---- */

static void birth_keep(struct points *p, struct point *pt, uint64_t addr, uint64_t birth)
{
	struct block *b = blocktable_insert(&p->births, addr);

	if (!b)
		b = blocktable_find(&p->births, addr);
	b->birth_stamp = birth;
	pt->resized++;
}

/* The first birth of B, not before the start; forgets it. */
static uint64_t birth_take(struct points *p, struct point *pt, const struct block *b)
{
	uint64_t birth = p->unit == POINTS_TICKS ? b->birth_stamp : p->start;
	struct block kept;

	if (pt->resized && blocktable_remove(&p->births, b->addr, &kept)) {
		pt->resized--;
		birth = kept.birth_stamp;
	}
	if (birth < p->start)
		birth = p->start;
	return birth < p->now ? birth : p->now;
}

/* ---- changes ---- */

/* HAS_BIRTH: it is older than it seems. */
static void block_new(struct points *p, const struct block *b, bool has_birth, uint64_t birth)
{
	struct amount w = weight(p, b);
	struct point *pt = touch(p, b->origin);

	p->zero_blocks += b->size == 0 ? w.blocks : 0;
	amount_add(&pt->total, w);
	amount_add(&pt->live, w);
	amount_add(&p->total, w);
	amount_add(&p->live, w);
	if (has_birth)
		birth_keep(p, pt, b->addr, birth);
	else if (p->unit != POINTS_TICKS)
		birth_keep(p, pt, b->addr, p->now);
	check_maxima(p, pt);
}

static void block_death(struct points *p, const struct block *b)
{
	struct amount w = weight(p, b);
	struct point *pt = touch(p, b->origin);

	amount_subtract(&pt->live, w);
	amount_subtract(&p->live, w);
	pt->deaths += w.blocks;
	p->deaths += w.blocks;
	pt->death_ages += (points_sum)w.blocks * (p->now - birth_take(p, pt, b));
}

static void block_resized(struct points *p, const struct block *old, const struct block *b)
{
	struct amount before = weight(p, old), after = weight(p, b);
	struct point *pt = touch(p, b->origin);
	uint64_t birth = birth_take(p, pt, old);

	p->zero_blocks += b->size == 0 ? after.blocks : 0;
	amount_add(&pt->total, after);
	amount_subtract(&pt->live, before);
	amount_add(&pt->live, after);
	amount_add(&p->total, after);
	amount_subtract(&p->live, before);
	amount_add(&p->live, after);
	birth_keep(p, pt, b->addr, birth);
	check_maxima(p, pt);
}

/* The old block of a realloc is gone, its new one has yet to be had at ADDR. */
static void resize_begins(struct points *p, const struct block *old, uint64_t addr)
{
	struct amount w = weight(p, old);
	struct point *pt = touch(p, old->origin);

	amount_subtract(&pt->live, w);
	amount_subtract(&p->live, w);
	xgrow(&p->pending, &p->pending_capacity, p->pending_count, sizeof(*p->pending));
	p->pending[p->pending_count++] = (struct pending_resize){
		.addr = addr,
		.birth = birth_take(p, pt, old),
	};
}

/* Is B what a realloc has waited for? */
static bool resize_ends(struct points *p, const struct block *b, uint64_t *birth)
{
	for (size_t i = 0; i < p->pending_count; i++) {
		if (p->pending[i].addr != b->addr)
			continue;
		*birth = p->pending[i].birth;
		p->pending[i] = p->pending[--p->pending_count];
		return true;
	}
	return false;
}

static bool is_realloc(const struct change *c)
{
	return c->has_call &&
	       (c->call.func == FUNC_REALLOC || c->call.func == FUNC_REALLOCARRAY);
}

static inline void apply(struct points *p, const struct change *c)
{
	bool has_birth = false;
	uint64_t birth = 0;

	if (c->released && is_realloc(c) && c->call.result) {
		if (c->acquired)
			block_resized(p, &c->old, &c->block);
		else
			resize_begins(p, &c->old, c->call.result);
		return;
	}
	if (c->released)
		block_death(p, &c->old);
	if (!c->acquired)
		return;
	if (p->pending_count)
		has_birth = resize_ends(p, &c->block, &birth);
	block_new(p, &c->block, has_birth, birth);
}

static inline uint64_t bytes_moved(const struct points *p, const struct change *c)
{
	uint64_t gone = c->released ? weight(p, &c->old).bytes : 0;
	uint64_t come = c->acquired ? weight(p, &c->block).bytes : 0;

	if (c->released && c->acquired && is_realloc(c))
		return come > gone ? come - gone : gone - come;
	return come + gone;
}

static inline void time_passes(struct points *p, const struct change *c, uint64_t stamp)
{
	switch (p->unit) {
	case POINTS_TICKS:
		if (stamp > p->now)
			p->now = stamp;
		break;
	case POINTS_BYTES:
		p->now += bytes_moved(p, c);
		break;
	case POINTS_CALLS:
		p->now += c->has_call ? c->call.weight : 0;
		break;
	}
}

void points_step(struct points *p, const struct change *c, uint64_t stamp)
{
	if (c->heap != p->heap || c->kind != KIND_HEAP)
		return;
	time_passes(p, c, stamp);
	if (c->released || c->acquired)
		apply(p, c);
}

/* ---- life ---- */

static void visit_live(const struct block *b, void *ctx)
{
	struct points *p = ctx;

	amount_add(&touch(p, b->origin)->live, weight(p, b));
	amount_add(&p->live, weight(p, b));
}

/* CHANGE has happened already in the replay, and will be counted. */
static void undo(struct points *p, const struct change *change)
{
	for (const struct change *c = change; c; c = c->also) {
		if (c->heap != p->heap || c->kind != KIND_HEAP)
			continue;
		if (c->acquired) {
			amount_subtract(&touch(p, c->block.origin)->live, weight(p, &c->block));
			amount_subtract(&p->live, weight(p, &c->block));
		}
		if (c->released)
			visit_live(&c->old, p);
	}
}

/* Its blocks may be forgotten already; what realloc made stays where realloc was called. */
static void take_sites(struct points *p, const struct heap *heap)
{
	for (size_t i = 0; i < heap->site_count; i++) {
		const struct site *s = &heap->sites[i];

		if (s->kind != KIND_HEAP || !s->live.blocks)
			continue;
		amount_add(&touch(p, (site_id)i)->live, s->live);
		amount_add(&p->live, s->live);
	}
}

struct points *points_new(const struct replay *rp, const struct heap *heap,
			  const struct change *change, enum points_unit unit, uint64_t start)
{
	struct points *p = xcalloc(1, sizeof(*p));

	p->unit = unit;
	p->heap = heap;
	p->epoch = 1;
	p->start = p->now = unit == POINTS_TICKS ? start : 0;
	if (change) {
		replay_each_live(rp, heap, visit_live, p);
		undo(p, change);
	} else {
		take_sites(p, heap);
	}
	for (size_t i = 0; i < p->count; i++)
		p->items[i].max = p->items[i].live;
	p->peak = p->live;
	p->epoch++;
	return p;
}

void points_free(struct points *p)
{
	if (!p)
		return;
	pages_free(p->items, p->capacity * sizeof(*p->items));
	blocktable_release(&p->births);
	free(p->pending);
	free(p);
}

void points_end(struct points *p, uint64_t end)
{
	if (p->unit == POINTS_TICKS && end > p->now)
		p->now = end;
	for (size_t i = 0; i < p->count; i++)
		touch(p, (site_id)i);
}
