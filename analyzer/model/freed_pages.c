/*
 * freed_pages.c - see freed_pages.h. Relies on a look to follow the record of its release in the
 * same stream. A look whose release is not known (its block was born before the recording, its
 * acquire waits) says nothing. Promises O(1) per event.
 */
#include "model/freed_pages.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/xmem.h"
#include "model/heap.h"

#define PAGE_USUAL 4096

/* A live block that will count when it goes. */
struct large_block {
	struct { uint64_t addr, image; } key;
	const struct heap *heap;
	struct block block;
	struct large_block *next; /* of the spare ones */
	UT_hash_handle hh;
};

void freed_pages_release(struct freed_pages *f)
{
	struct large_block *b, *next;

	HASH_ITER(hh, f->live, b, next) {
		HASH_DEL(f->live, b);
		free(b);
	}
	for (b = f->spare; b; b = next) {
		next = b->next;
		free(b);
	}
	idmap_release(&f->index);
	free(f->rows);
	free(f->last);
	*f = (struct freed_pages){ 0 };
}

static struct freed_last *last_of(struct freed_pages *f, uint32_t stream)
{
	if (stream >= f->last_count) {
		size_t count = f->last_count ? f->last_count : 16;

		if (stream > STREAM_MAX)
			return NULL;
		while (count <= stream)
			count *= 2;
		f->last = xreallocarray(f->last, count, sizeof(*f->last));
		memset(f->last + f->last_count, 0, (count - f->last_count) * sizeof(*f->last));
		f->last_count = count;
	}
	return &f->last[stream];
}

/* The next record of the stream may say more of LAST, or not. */
static void last_set(struct freed_pages *f, struct freed_last *last, const struct freed_last *value)
{
	f->open -= last->row || last->is_realloc;
	*last = *value;
	f->open += last->row || last->is_realloc;
}

static void last_clear(struct freed_pages *f, struct freed_last *last)
{
	last_set(f, last, &(struct freed_last){ 0 });
}

static uint64_t usable_of(const struct block *b)
{
	return b->size + b->slack;
}

uint64_t freed_untouched(const struct block *b, const struct look *look, uint64_t page)
{
	uint64_t usable = usable_of(b), absent = look->absent, behind = b->slack;

	if (b->size == 0)
		return 0;
	if (absent > usable)
		absent = usable;
	/* behind the requested end nobody asked for anything */
	if ((b->addr + b->size - 1) / page == (b->addr + usable - 1) / page &&
	    !(look->flags & LOOK_LAST_ABSENT))
		behind = 0;
	if (look->flags & LOOK_PARTIAL)
		behind = 0;
	absent = difference(absent, behind);
	return absent < b->size ? absent : b->size;
}

static struct large_block *live_find(struct freed_pages *f, const struct heap *heap, uint64_t addr)
{
	struct large_block *b, key = { .key = { addr, heap->image->number } };

	HASH_FIND(hh, f->live, &key.key, sizeof(key.key), b);
	return b;
}

static void live_add(struct freed_pages *f, const struct heap *heap, const struct block *block)
{
	struct large_block *b = live_find(f, heap, block->addr);

	if (b) {
		b->block = *block;
		return;
	}
	b = f->spare;
	if (b)
		f->spare = b->next;
	else
		b = xmalloc(sizeof(*b));
	*b = (struct large_block){
		.key = { block->addr, heap->image->number }, .heap = heap, .block = *block,
	};
	HASH_ADD(hh, f->live, key, sizeof(b->key), b);
}

static void live_drop(struct freed_pages *f, const struct heap *heap, uint64_t addr)
{
	struct large_block *b = live_find(f, heap, addr);

	if (!b)
		return;
	HASH_DEL(f->live, b);
	b->next = f->spare;
	f->spare = b;
}

static void live_change(struct freed_pages *f, const struct change *change)
{
	for (const struct change *c = change; c; c = c->also) {
		if (c->kind != KIND_HEAP)
			continue;
		if (c->released && freed_is_large(&c->old))
			live_drop(f, c->heap, c->old.addr);
		if (c->acquired && freed_is_large(&c->block))
			live_add(f, c->heap, &c->block);
	}
}

/* The row of B, a block of HEAP: its index + 1. */
static uint32_t row_of(struct freed_pages *f, const struct heap *heap, const struct block *b)
{
	uint64_t key = (uint64_t)heap->image->number << 32 | b->site;
	uint32_t id = idmap_add(&f->index, key, (uint32_t)f->count + 1);

	if (id == f->count + 1) {
		xgrow(&f->rows, &f->capacity, f->count, sizeof(*f->rows));
		f->rows[f->count++] = (struct freed_row){ .heap = heap, .site = b->site };
	}
	return id;
}

/* OLD is gone for good. Returns its row, 0 where it is too small. */
static uint32_t count_release(struct freed_pages *f, const struct heap *heap, const struct block *old)
{
	struct amount weight;
	struct freed_row *row;
	uint32_t id;

	if (!freed_is_large(old))
		return 0;
	id = row_of(f, heap, old);
	row = &f->rows[id - 1];
	weight = replay_weight(heap, old);
	row->freed.blocks += weight.blocks;
	row->freed.bytes = sum_saturated(row->freed.bytes, weight.bytes);
	row->mapped += old->cls == CLASS_MAPPED ? weight.blocks : 0;
	row->recorded++;
	return id;
}

/* UNTOUCHED bytes of B never were, and B stands for WEIGHT releases. */
static void apply_untouched(struct freed_row *row, const struct block *b, uint64_t untouched,
			    double weight)
{
	if (row->heap->sampling_bytes && b->size)
		weight *= (double)replay_weight(row->heap, b).bytes / (double)b->size;
	row->looked++;
	row->untouched_seen = sum_saturated(row->untouched_seen, untouched);
	row->weighted_asked += weight * (double)b->size;
	row->weighted_untouched += weight * (double)untouched;
}

static void apply_look(struct freed_row *row, const struct block *b, const struct look *look)
{
	uint64_t page = row->heap->image->page_size;

	apply_untouched(row, b, freed_untouched(b, look, page ? page : PAGE_USUAL),
			(double)look->weight);
}

/* The last one before IMAGE ended that has all its pages; NULL: none. */
static const struct map_snapshot *last_snapshot(const struct map_snapshots *s, uint32_t image)
{
	for (size_t i = s->count; i > 0; i--) {
		const struct map_snapshot *item = &s->items[i - 1];

		if (item->image == image && item->moment == MEMORY_AT_EXIT)
			return item->has_pages && !item->pages_are_cut ? item : NULL;
	}
	return NULL;
}

void freed_pages_add_kept(struct freed_pages *f, const struct map_snapshots *snapshots)
{
	struct large_block *b, *next;

	HASH_ITER(hh, f->live, b, next) {
		const struct map_snapshot *s = last_snapshot(snapshots, b->heap->image->number);
		uint64_t touched;
		uint32_t id;

		if (!s)
			continue;
		touched = map_snapshot_touched(s, b->block.addr, b->block.addr + b->block.size);
		id = count_release(f, b->heap, &b->block);
		apply_untouched(&f->rows[id - 1], &b->block, difference(b->block.size, touched), 1);
	}
}

/* A realloc that made OLD larger where it was, or moved its pages (mremap): it lives on. */
static bool lives_on(const struct block *old, const struct block *new)
{
	return new->size >= old->size &&
	       (new->addr == old->addr ||
		(new->cls == CLASS_MAPPED && old->cls == CLASS_MAPPED));
}

static void note_release(struct freed_pages *f, struct freed_last *last, const struct event *event,
			 const struct change *change)
{
	bool is_end = event->r.kind == EVENT_REALLOC_END;
	bool has_look = last->has_look && last->thread == event->r.thread;
	struct look look = last->look;
	uint32_t row;

	last_clear(f, last);
	if (!change->released || change->kind != KIND_HEAP ||
	    (is_end && change->acquired && lives_on(&change->old, &change->block)))
		return;
	row = count_release(f, change->heap, &change->old);
	if (row && event->r.kind == EVENT_FREE)
		last_set(f, last, &(struct freed_last){ .row = row, .block = change->old });
	else if (row && has_look)
		apply_look(&f->rows[row - 1], &change->old, &look);
}

static void note_look(struct freed_pages *f, struct freed_last *last, const struct event *event)
{
	struct look look;

	if (!get_look(&event->r, &look))
		return;
	if (last->is_realloc) {
		last->look = look;
		last->has_look = true;
		return;
	}
	if (last->row)
		apply_look(&f->rows[last->row - 1], &last->block, &look);
	last_clear(f, last);
}

void freed_pages_apply(struct freed_pages *f, const struct event *event,
		       const struct change *change)
{
	struct freed_last *last = last_of(f, event->stream);

	if (f->has_kept && (change->acquired || change->released || change->also))
		live_change(f, change);
	for (const struct change *c = change->also; c; c = c->also)
		if (c->released && c->kind == KIND_HEAP)
			count_release(f, c->heap, &c->old);
	if (!last)
		return;
	switch (event->r.kind) {
	case EVENT_REALLOC_BEGIN:
		last_set(f, last, &(struct freed_last){
			.is_realloc = true, .thread = event->r.thread,
		});
		break;
	case EVENT_EXTENDED:
		note_look(f, last, event);
		break;
	case EVENT_FREE:
	case EVENT_REALLOC_END:
	case EVENT_NULL_CALL:
	case EVENT_FAILED:
		note_release(f, last, event, change);
		break;
	default:
		break;
	}
}

void freed_row_sum(struct freed_row *to, const struct freed_row *from)
{
	to->freed.blocks += from->freed.blocks;
	to->freed.bytes = sum_saturated(to->freed.bytes, from->freed.bytes);
	to->mapped += from->mapped;
	to->recorded += from->recorded;
	to->looked += from->looked;
	to->untouched_seen = sum_saturated(to->untouched_seen, from->untouched_seen);
	to->weighted_asked += from->weighted_asked;
	to->weighted_untouched += from->weighted_untouched;
}

bool freed_row_is_estimate(const struct freed_row *row)
{
	return row->looked < row->recorded || row->freed.blocks != row->recorded;
}

uint64_t freed_row_untouched(const struct freed_row *row)
{
	double share;

	if (!freed_row_is_estimate(row))
		return row->untouched_seen;
	if (row->weighted_asked <= 0)
		return 0;
	share = row->weighted_untouched / row->weighted_asked;
	return (uint64_t)(share * (double)row->freed.bytes);
}
