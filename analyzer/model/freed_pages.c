/*
 * freed_pages.c - see freed_pages.h. Relies on a look to follow the record of its release in the
 * same stream. A look whose release is not known (its block was born before the recording, its
 * acquire waits) says nothing. Promises O(1) per event.
 */
#include "model/freed_pages.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"
#include "model/heap.h"

#define PAGE_USUAL 4096

void freed_pages_release(struct freed_pages *f)
{
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

	if (usable_of(old) < LOOK_BYTES_MIN)
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

static void apply_look(struct freed_row *row, const struct block *b, const struct look *look)
{
	uint64_t page = row->heap->image->page_size;
	uint64_t untouched = freed_untouched(b, look, page ? page : PAGE_USUAL);
	double weight = (double)look->weight;

	if (row->heap->sampling_bytes && b->size)
		weight *= (double)replay_weight(row->heap, b).bytes / (double)b->size;
	row->looked++;
	row->untouched_seen = sum_saturated(row->untouched_seen, untouched);
	row->weighted_asked += weight * (double)b->size;
	row->weighted_untouched += weight * (double)untouched;
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

	last->row = 0;
	last->is_realloc = last->has_look = false;
	if (!change->released || change->kind != KIND_HEAP ||
	    (is_end && change->acquired && lives_on(&change->old, &change->block)))
		return;
	last->row = count_release(f, change->heap, &change->old);
	last->block = change->old;
	if (last->row && has_look && event->r.kind != EVENT_FREE)
		apply_look(&f->rows[last->row - 1], &change->old, &look);
	if (event->r.kind != EVENT_FREE)
		last->row = 0;
}

static void note_look(struct freed_pages *f, struct freed_last *last, const struct event *event)
{
	struct look look;

	if (!get_look(&event->r, &look))
		return;
	if (last->is_realloc) {
		last->look = look;
		last->has_look = true;
	} else if (last->row) {
		apply_look(&f->rows[last->row - 1], &last->block, &look);
	}
	last->row = 0;
}

void freed_pages_add(struct freed_pages *f, const struct event *event, const struct change *change)
{
	struct freed_last *last = last_of(f, event->stream);

	for (const struct change *c = change->also; c; c = c->also)
		if (c->released && c->kind == KIND_HEAP)
			count_release(f, c->heap, &c->old);
	if (!last)
		return;
	switch (event->r.kind) {
	case EVENT_REALLOC_BEGIN:
		*last = (struct freed_last){ .is_realloc = true, .thread = event->r.thread };
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
