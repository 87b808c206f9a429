/*
 * replay.c - see replay.h: each event goes to the heap of its image, in time
 * order; between events stand the moments at which an image forks or has ended.
 *
 * Relies on the merge for the order, and on the recording's segment headers for
 * when an image's events are over. Promises that no event, however damaged,
 * does more than count wrongly.
 */
#include "model/replay.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"
#include "model/blockcalls.h"
#include "model/estimate.h"
#include "model/inherit.h"

/* A fork, or the end of an image: due before the first event later than STAMP. */
struct moment_due {
	uint64_t stamp;
	uint32_t heap;        /* the child; the image that ends */
	bool is_end;
};

struct image_number { uint32_t number, heap; };

struct replay {
	struct recording *recording;
	unsigned wants;
	struct heap_state *heaps;
	size_t heap_count;
	struct image_number *numbers;  /* by number */
	struct streams streams;
	struct change_list changes;
	struct site_index sites;
	struct moment_due *dues;       /* by stamp; forks before ends */
	size_t due_count, due_next;
	uint64_t due_stamp;            /* of dues[due_next]; UINT64_MAX: no more */
	struct inherit_budget inherited;
};

/* ---- images ---- */

static int number_compare(const void *a, const void *b)
{
	const struct image_number *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return (x->heap > y->heap) - (x->heap < y->heap);
}

static struct heap_state *image_heap(const struct replay *rp, uint32_t number)
{
	size_t low = 0, high = rp->heap_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (rp->numbers[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == rp->heap_count || rp->numbers[low].number != number)
		return NULL;
	return &rp->heaps[rp->numbers[low].heap];
}

static struct heap_state *parent_heap(const struct replay *rp,
				      const struct heap_state *h)
{
	const struct image *image = h->public.image;
	struct heap_state *parent;

	if (image->how != PROCESS_FORKED || !image->parent_image)
		return NULL;
	parent = image_heap(rp, image->parent_image);
	return parent == h ? NULL : parent;
}

/* ---- moments ---- */

static int due_compare(const void *a, const void *b)
{
	const struct moment_due *x = a, *y = b;

	if (x->stamp != y->stamp)
		return x->stamp < y->stamp ? -1 : 1;
	if (x->is_end != y->is_end)
		return x->is_end ? 1 : -1;
	return (x->heap > y->heap) - (x->heap < y->heap);
}

static uint64_t fork_stamp(const struct image *image)
{
	return image->fork_stamp ? image->fork_stamp : image->start_stamp;
}

/*
 * Until when each heap's blocks are needed: its own last event, or the last one
 * of a forked descendant, which looks its blocks up there.
 */
static uint64_t *needed_until(const struct replay *rp)
{
	uint64_t *until = xcalloc(rp->heap_count + 1, sizeof(*until));
	const struct recording *r = rp->recording;

	for (size_t i = 0; i < r->segment_count; i++) {
		const struct segment_header *sh = &r->segments[i].header;
		uint64_t last = sh->last_stamp ? sh->last_stamp : UINT64_MAX;
		struct heap_state *h = image_heap(rp, sh->image);

		if (h && until[h - rp->heaps] < last)
			until[h - rp->heaps] = last;
	}
	for (size_t i = 0; i < rp->heap_count; i++) {
		const struct heap_state *h = &rp->heaps[i];

		for (int g = 0; h && g < INHERIT_GENERATIONS_MAX; g++) {
			if (until[h - rp->heaps] < until[i])
				until[h - rp->heaps] = until[i];
			h = parent_heap(rp, h);
		}
	}
	return until;
}

static void dues_make(struct replay *rp)
{
	uint64_t *until = needed_until(rp);

	rp->dues = xcalloc(2 * rp->heap_count + 1, sizeof(*rp->dues));
	for (size_t i = 0; i < rp->heap_count; i++) {
		const struct image *image = rp->heaps[i].public.image;

		/* a child without events never asks what it inherited */
		if (parent_heap(rp, &rp->heaps[i]) && image->segment_count)
			rp->dues[rp->due_count++] = (struct moment_due){
				fork_stamp(image), (uint32_t)i, false,
			};
		if (until[i] != UINT64_MAX && image->segment_count)
			rp->dues[rp->due_count++] = (struct moment_due){
				until[i], (uint32_t)i, true,
			};
	}
	qsort(rp->dues, rp->due_count, sizeof(*rp->dues), due_compare);
	rp->due_stamp = rp->due_count ? rp->dues[0].stamp : UINT64_MAX;
	free(until);
}

static bool has_one_thread(const struct image *image, uint64_t stamp)
{
	size_t count = 0;

	for (size_t i = 0; i < image->thread_count; i++) {
		const struct thread_info *t = &image->threads[i];

		count += t->start_stamp <= stamp &&
			 (!t->end_stamp || t->end_stamp > stamp);
	}
	return count <= 1;
}

static void image_forks(struct replay *rp, struct heap_state *child)
{
	struct heap_state *parent = parent_heap(rp, child);
	const struct image *image = child->public.image;
	uint64_t stamp = fork_stamp(image);

	inherit_fork(child, parent, stamp,
		     image->fork_stamp &&
		     has_one_thread(parent->public.image, stamp),
		     &rp->inherited);
}

static void image_ends(struct replay *rp, struct heap_state *h)
{
	bool keep = rp->wants & REPLAY_BLOCKS;

	blockcall_expire(h, UINT64_MAX, &rp->changes);
	h->has_ended = true;
	inherit_child_ended(h, keep);
	if (keep)
		blocktable_freeze(&h->blocks);
	else
		blocktable_release(&h->blocks);
}

static void dues_apply(struct replay *rp, uint64_t stamp)
{
	while (rp->due_next < rp->due_count && rp->dues[rp->due_next].stamp < stamp) {
		const struct moment_due *due = &rp->dues[rp->due_next++];

		if (due->is_end)
			image_ends(rp, &rp->heaps[due->heap]);
		else
			image_forks(rp, &rp->heaps[due->heap]);
	}
	rp->due_stamp = rp->due_next < rp->due_count ?
			rp->dues[rp->due_next].stamp : UINT64_MAX;
}

/* ---- life ---- */

struct replay *replay_new(struct recording *r, struct stacks *stacks, unsigned wants)
{
	struct replay *rp = xcalloc(1, sizeof(*rp));
	double ticks = r->ns_per_tick > 0 ? SKEW_NS / r->ns_per_tick : SKEW_NS;
	uint64_t sampling = recording_sampling(r);

	(void)stacks; /* sites are known by stack number alone */
	rp->recording = r;
	rp->wants = wants;
	rp->heap_count = r->image_count;
	rp->heaps = xcalloc(r->image_count + 1, sizeof(*rp->heaps));
	rp->numbers = xcalloc(r->image_count + 1, sizeof(*rp->numbers));
	for (size_t i = 0; i < r->image_count; i++) {
		heap_init(&rp->heaps[i], &r->images[i], &rp->sites, wants,
			  ticks < 1e15 ? (uint64_t)ticks : SKEW_NS);
		rp->heaps[i].public.sampling_bytes = sampling;
		rp->numbers[i] = (struct image_number){ r->images[i].number, (uint32_t)i };
	}
	qsort(rp->numbers, rp->heap_count, sizeof(*rp->numbers), number_compare);
	dues_make(rp);
	change_list_add(&rp->changes, NULL);
	return rp;
}

void replay_free(struct replay *rp)
{
	if (!rp)
		return;
	streams_release(&rp->streams);
	for (size_t i = 0; i < rp->heap_count; i++)
		heap_release(&rp->heaps[i]);
	site_index_release(&rp->sites);
	free(rp->heaps);
	free(rp->numbers);
	free(rp->dues);
	free(rp->changes.items);
	free(rp);
}

/* ---- events ---- */

static void streams_extend(struct streams *s, uint32_t stream)
{
	size_t count = s->count ? s->count : 16;

	while (count <= stream)
		count *= 2;
	s->items = xreallocarray(s->items, count, sizeof(*s->items));
	memset(s->items + s->count, 0, (count - s->count) * sizeof(*s->items));
	s->count = count;
}

/* The state of the event's stream with its heap; NULL where nobody owns it. */
static inline struct stream_state *event_stream(struct replay *rp,
						const struct event *event)
{
	struct stream_state *st;

	if (event->stream >= rp->streams.count) {
		if (event->stream > STREAM_MAX)
			return NULL;
		streams_extend(&rp->streams, event->stream);
	}
	st = &rp->streams.items[event->stream];
	if (!st->is_known || st->image != event->image) {
		if (st->heap) /* a stream is one image's: this is damage */
			blockcall_end_stream(&rp->streams, event->stream);
		if (st->heap && st->memcall)
			memcall_abandon(st->heap, st->memcall);
		st->heap = image_heap(rp, event->image);
		st->image = event->image;
		st->last_func = FUNC_COUNT;
		st->is_known = true;
	}
	return st->heap ? st : NULL;
}

static struct memcall *stream_memcall(struct stream_state *st)
{
	if (!st->memcall)
		st->memcall = xcalloc(1, sizeof(*st->memcall));
	return st->memcall;
}

static void apply(struct replay *rp, struct stream_state *st,
		  const struct event *event)
{
	struct streams *s = &rp->streams;
	const struct record *r = &event->r;
	struct heap *h = &st->heap->public;

	switch (r->kind) {
	case EVENT_ALLOC:
	case EVENT_CALLOC:
	case EVENT_ALIGNED:
	case EVENT_REALLOC_END:
		blockcall_acquire(s, event, &rp->changes);
		break;
	case EVENT_FREE:
		blockcall_free(s, event, &rp->changes);
		break;
	case EVENT_REALLOC_BEGIN:
		blockcall_realloc_begin(s, event, &rp->changes);
		break;
	case EVENT_NULL_CALL:
		blockcall_null(s, event, &rp->changes);
		break;
	case EVENT_FAILED:
		blockcall_failed(s, event, &rp->changes);
		break;
	case EVENT_SYSCALL_BEGIN:
		memcall_begin(st->heap, stream_memcall(st), event);
		break;
	case EVENT_SYSCALL_END:
		memcall_end(st->heap, stream_memcall(st), event, &rp->changes);
		break;
	case EVENT_TIMING:
		if (st->last_func < FUNC_COUNT) {
			struct func_totals *f = &h->funcs[st->last_func];

			f->timed_calls += st->last_weight;
			f->timed_ticks = sum_saturated(f->timed_ticks,
				product_saturated(r->duration, st->last_weight));
		}
		break;
	case EVENT_LOSS:
		if (r->number < LOSS_COUNT)
			h->losses[r->number] =
				sum_saturated(h->losses[r->number], r->count);
		break;
	default: /* THREAD, MARK, EXTENDED: nothing of the heap */
		break;
	}
}

const struct change *replay_step(struct replay *rp, const struct event *event)
{
	struct change *c = &rp->changes.items[0];
	struct stream_state *st;
	struct heap *h;

	rp->changes.count = 1;
	c->also = NULL;
	c->heap = NULL;
	c->kind = KIND_HEAP;
	c->has_call = c->acquired = c->released = false;
	c->new_peak = c->old_is_partial = false;
	if (event->r.stamp > rp->due_stamp)
		dues_apply(rp, event->r.stamp);
	st = event_stream(rp, event);
	if (!st)
		return rp->changes.items;
	h = &st->heap->public;
	rp->changes.items[0].heap = h;
	if (h->events++ == 0)
		h->first_stamp = event->r.stamp;
	h->last_stamp = event->r.stamp;
	if (st->heap->held_count)
		blockcall_expire(st->heap, event->r.stamp, &rp->changes);
	apply(rp, st, event);
	for (size_t i = 1; i < rp->changes.count; i++)
		rp->changes.items[i - 1].also = &rp->changes.items[i];
	return rp->changes.items;
}

void replay_finish(struct replay *rp)
{
	for (size_t i = 0; i < rp->streams.count; i++) {
		struct stream_state *st = &rp->streams.items[i];

		if (!st->heap)
			continue;
		blockcall_end_stream(&rp->streams, i);
		if (st->memcall)
			memcall_abandon(st->heap, st->memcall);
	}
	for (size_t i = 0; i < rp->heap_count; i++) {
		struct heap_state *h = &rp->heaps[i];
		const struct inheritance *in = h->inheritance;

		blockcall_expire(h, UINT64_MAX, &rp->changes);
		if (in && in->parent && in->parent->inheritance->is_incomplete)
			h->public.inherited_is_exact = false;
		heap_finish(h);
	}
}

/* ---- reading ---- */

size_t replay_heap_count(const struct replay *rp)
{
	return rp->heap_count;
}

struct heap *replay_heap(const struct replay *rp, size_t index)
{
	return index < rp->heap_count ? &rp->heaps[index].public : NULL;
}

struct heap *replay_image_heap(const struct replay *rp, uint32_t image)
{
	struct heap_state *h = image_heap(rp, image);

	return h ? &h->public : NULL;
}

struct heap *replay_default_heap(const struct replay *rp)
{
	struct heap *best = NULL;
	uint64_t best_bytes = 0;

	for (size_t i = 0; i < rp->heap_count; i++) {
		struct heap *h = &rp->heaps[i].public;
		uint64_t bytes = sum_saturated(
			difference(h->peak.bytes, h->inherited_bytes),
			difference(h->mapped_peak.bytes, h->inherited_mapped.bytes));

		if (!best || bytes > best_bytes) {
			best = h;
			best_bytes = bytes;
		}
	}
	return best;
}

struct amount replay_weight(const struct heap *heap, const struct block *b)
{
	return estimate_weight(b, heap->sampling_bytes);
}

void replay_each_live(const struct replay *rp, const struct heap *heap,
		      void (*visit)(const struct block *b, void *ctx), void *ctx)
{
	struct heap_state *h = heap_state_of(heap);
	const struct block *b;
	uint32_t cursor = 0;

	while ((b = blocktable_next(&h->blocks, &cursor)))
		visit(b, ctx);
	if (!h->has_ended || (rp->wants & REPLAY_BLOCKS))
		inherit_each(h, visit, ctx);
}

struct mapping_visit {
	void (*visit)(const struct block *b, void *ctx);
	void *ctx;
};

static void visit_range(const struct mapping_piece *range, void *ctx)
{
	const struct mapping_visit *v = ctx;
	const struct block b = {
		.addr = range->start,
		.size = range->end - range->start,
		.birth_stamp = range->mapping->birth_stamp,
		.site = range->mapping->site,
		.origin = range->mapping->site,
		.stream = range->mapping->stream,
		.cls = CLASS_MAPPED,
	};

	v->visit(&b, v->ctx);
}

void replay_each_mapping(const struct replay *rp, const struct heap *heap,
			 void (*visit)(const struct block *b, void *ctx), void *ctx)
{
	struct mapping_visit v = { visit, ctx };

	(void)rp;
	mappings_each(&heap_state_of(heap)->mappings, visit_range, &v);
}
