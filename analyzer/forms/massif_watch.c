/*
 * massif_watch.c - see massif_watch.h. A snapshot is taken after an event; a peak is the
 * state before the first release after it, which is when Massif looks for one.
 * That state is had without looking back: sites that changed since are noted.
 */
#include "forms/massif_watch.h"

#include <stdlib.h>

#include "base/xmem.h"
#include "model/heap.h"

/* glibc's header of a chunk, and of one that is a mapping of its own. */
#define CHUNK_HEADER 8
#define MAPPED_CHUNK_HEADER 16

void massif_watch_init(struct massif_watch *w, const struct recording *r,
		       const struct image *image, const struct massif_options *options,
		       uint64_t since_stamp)
{
	*w = (struct massif_watch){
		.options = options, .recording = r, .image = image, .since_stamp = since_stamp,
	};
	snapshots_init(&w->snapshots, options->max_snapshots, options->detailed_every);
	if (options->extra == EXTRA_VALGRIND && !options->is_pages &&
	    image->how != PROCESS_FORKED && !recording_sampling(r))
		w->arena = valgrind_arena_new();
	if (options->is_pages) {
		page_heap_init(&w->pages, image);
		w->now.heap = w->pages.live_bytes;
	}
}

void massif_watch_release(struct massif_watch *w)
{
	snapshots_release(&w->snapshots);
	peak_log_release(&w->log);
	valgrind_arena_free(w->arena);
	if (w->options && w->options->is_pages)
		page_heap_release(&w->pages);
}

static uint64_t total_of(const struct massif_sizes *s)
{
	return s->heap + s->extra + s->stacks;
}

/* ---- what is live ---- */

/* Stack memory by the last sample until STAMP, before the first one by that. */
static uint64_t stacks_at(struct massif_watch *w, uint64_t stamp)
{
	const struct recording *r = w->recording;

	for (; w->next_sample < r->sample_count; w->next_sample++) {
		const struct memory_sample *s = &r->samples[w->next_sample];

		if (s->image != w->image->number || !s->has_parts)
			continue;
		if (s->stamp > stamp && w->sample.has_parts)
			break;
		w->sample = *s;
	}
	return w->sample.stack;
}

static uint64_t exact_extra(const struct massif_watch *w)
{
	const struct heap *h = w->heap;
	uint64_t slack = difference(h->usable_live, h->live.bytes);

	if (!(w->image->features & FEATURE_GLIBC_MALLOC))
		return slack;
	return slack + h->live.blocks * CHUNK_HEADER +
	       w->mapped_blocks * (MAPPED_CHUNK_HEADER - CHUNK_HEADER);
}

static uint64_t extra_now(const struct massif_watch *w)
{
	uint64_t measure = w->heap->massif_live_bytes;

	if (w->options->extra == EXTRA_EXACT)
		return exact_extra(w);
	if (w->arena)
		measure = valgrind_arena_measure(w->arena);
	return difference(measure, w->heap->live.bytes);
}

static struct massif_sizes sizes_now(struct massif_watch *w, uint64_t stamp)
{
	struct massif_sizes s = { 0 };

	if (w->options->is_pages) {
		s.heap = w->pages.live_bytes;
		return s;
	}
	s.heap = w->heap->live.bytes;
	s.extra = extra_now(w);
	if (w->options->has_stacks)
		s.stacks = stacks_at(w, stamp);
	return s;
}

/* ---- what an event did to a site ---- */

/* By how much the changes of CHANGE made SITE larger, modulo 2^64. */
static uint64_t effect_on(const struct change *change, site_id site)
{
	uint64_t sum = 0;

	for (; change; change = change->also) {
		if (change->kind != KIND_HEAP)
			continue;
		if (change->acquired && change->block.site == site)
			sum += replay_weight(change->heap, &change->block).bytes;
		if (change->released && change->old.site == site)
			sum -= replay_weight(change->heap, &change->old).bytes;
	}
	return sum;
}

static void note_site(struct massif_watch *w, const struct change *all, site_id site)
{
	peak_log_note(&w->log, site, w->heap->sites[site].live.bytes - effect_on(all, site));
}

static void note_sites(struct massif_watch *w, const struct change *all)
{
	for (const struct change *c = all; c; c = c->also) {
		if (c->kind != KIND_HEAP)
			continue;
		if (c->acquired)
			note_site(w, all, c->block.site);
		if (c->released)
			note_site(w, all, c->old.site);
	}
}

/* Did blocks come or go? */
static bool concerns_blocks(const struct change *change)
{
	for (; change; change = change->also)
		if (change->kind == KIND_HEAP && (change->acquired || change->released))
			return true;
	return false;
}

/* Is it a deallocation: a free, or a realloc to less? */
static bool gives_back(const struct change *change)
{
	for (; change; change = change->also)
		if (change->kind == KIND_HEAP && change->released &&
		    !(change->acquired && change->block.size >= change->old.size))
			return true;
	return false;
}

static void count_mapped(struct massif_watch *w, const struct change *change)
{
	for (; change; change = change->also) {
		if (change->kind != KIND_HEAP)
			continue;
		w->mapped_blocks += change->acquired && change->block.cls == CLASS_MAPPED;
		if (change->released && change->old.cls == CLASS_MAPPED && w->mapped_blocks)
			w->mapped_blocks--;
	}
}

static uint64_t alignment_of(const struct massif_watch *w, const struct record *r,
			     const struct block *b)
{
	if (r->kind != EVENT_ALIGNED || r->addr != b->addr)
		return 0;
	return r->func == FUNC_VALLOC || r->func == FUNC_PVALLOC ? w->image->page_size :
								   r->alignment;
}

static void follow_arena(struct massif_watch *w, const struct event *event,
			 const struct change *change)
{
	for (; change; change = change->also) {
		const struct block *b = &change->block;

		if (change->kind != KIND_HEAP)
			continue;
		if (change->acquired && change->released)
			valgrind_arena_resize(w->arena, change->old.addr, b->addr, b->size);
		else if (change->acquired)
			valgrind_arena_acquire(w->arena, b->addr,
					       alignment_of(w, &event->r, b), b->size);
		else if (change->released)
			valgrind_arena_release(w->arena, change->old.addr);
	}
}

/* ---- snapshots ---- */

static void add_stack(struct snapshot *s, size_t *capacity, stack_id stack, uint64_t bytes)
{
	if (bytes == 0)
		return;
	xgrow(&s->stacks, capacity, s->stack_count, sizeof(*s->stacks));
	s->stacks[s->stack_count++] = (struct stack_bytes){ stack, bytes };
}

enum which { STATE_NOW, STATE_BEFORE, STATE_PEAK };

/* Fill in the call stacks of S: now, before what CHANGE did, or at the peak of the log. */
static void collect(struct massif_watch *w, struct snapshot *s, enum which which,
		    const struct change *change)
{
	size_t count = w->options->is_pages ? w->pages.site_count :
		       w->heap ? w->heap->site_count : 0;
	size_t capacity = 0;

	for (size_t i = 0; i < count; i++) {
		stack_id stack;
		uint64_t bytes;

		if (w->options->is_pages) {
			stack = w->pages.sites[i].stack;
			bytes = w->pages.sites[i].bytes;
		} else {
			const struct site *site = &w->heap->sites[i];

			if (site->kind != KIND_HEAP)
				continue;
			stack = site->stack;
			bytes = site->live.bytes;
		}
		if (which == STATE_PEAK)
			bytes = peak_log_value(&w->log, i, bytes);
		else if (which == STATE_BEFORE)
			bytes -= effect_on(change, (site_id)i);
		add_stack(s, &capacity, stack, bytes);
	}
}

static struct snapshot snapshot_of(const struct massif_watch *w, const struct massif_sizes *sizes,
				   uint64_t stamp, enum snapshot_kind kind)
{
	return (struct snapshot){
		.time = w->time,
		.stamp = stamp,
		.heap_bytes = sizes->heap,
		.extra_bytes = sizes->extra,
		.stack_bytes = sizes->stacks,
		.kind = kind,
	};
}

/* A peak is taken as Massif does it without exactness: before a release, if it is so much higher. */
static void take_peak(struct massif_watch *w, uint64_t stamp, const struct change *change)
{
	uint64_t excess = (uint64_t)((double)w->peak_total * w->options->peak_inaccuracy / 100);
	struct snapshot s;

	if (total_of(&w->now) <= w->peak_total + excess)
		return;
	s = snapshot_of(w, &w->now, stamp, SNAPSHOT_PEAK);
	collect(w, &s, STATE_BEFORE, change);
	snapshots_add(&w->snapshots, &s);
	w->peak_total = total_of(&w->now);
}

/* The state after the event is SIZES: is it the peak so far? */
static void follow_peak(struct massif_watch *w, const struct massif_sizes *sizes, uint64_t stamp)
{
	uint64_t total = total_of(sizes);

	/* within the room of a block the total stays, but not what is useful of it */
	if (total > w->peak_total || (total == w->peak_total && w->is_peak_open && total > 0)) {
		w->peak_total = total;
		w->peak = snapshot_of(w, sizes, stamp, SNAPSHOT_PEAK);
		w->is_peak_open = true;
		peak_log_mark(&w->log);
	}
}

static void begin(struct massif_watch *w, uint64_t stamp)
{
	struct snapshot first;

	w->has_begun = true;
	w->begin_stamp = w->since_stamp > w->image->start_stamp ? w->since_stamp :
			 w->image->start_stamp;
	if (w->begin_stamp > stamp)
		w->begin_stamp = stamp;
	first = snapshot_of(w, &w->now, w->begin_stamp, SNAPSHOT_NORMAL);
	snapshots_add(&w->snapshots, &first);
	/* what a window begins with may be its peak */
	w->is_peak_open = true;
	if (w->options->peak_inaccuracy == 0)
		follow_peak(w, &w->now, w->begin_stamp);
}

static void advance(struct massif_watch *w, const struct massif_sizes *sizes, uint64_t moved,
		    uint64_t stamp, uint64_t calls)
{
	int64_t ns;

	switch (w->options->unit) {
	case UNIT_BYTES:
		w->time = sum_saturated(w->time, moved);
		break;
	case UNIT_CALLS:
		w->time = sum_saturated(w->time, calls);
		break;
	case UNIT_MS:
		ns = recording_ns(w->recording, stamp) - recording_ns(w->recording, w->begin_stamp);
		if (ns > 0 && (uint64_t)ns / 1000 > w->time)
			w->time = (uint64_t)ns / 1000;
		break;
	}
	w->now = *sizes;
}

static void take_normal(struct massif_watch *w, uint64_t stamp)
{
	struct snapshot s;

	if (!snapshots_is_due(&w->snapshots, w->time))
		return;
	s = snapshot_of(w, &w->now, stamp, SNAPSHOT_NORMAL);
	if (snapshots_wants_detail(&w->snapshots)) {
		s.kind = SNAPSHOT_DETAILED;
		collect(w, &s, STATE_NOW, NULL);
	}
	snapshots_add(&w->snapshots, &s);
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static void pages_event(struct massif_watch *w, const struct event *event)
{
	bool is_exact = w->options->peak_inaccuracy == 0;
	bool is_release = page_heap_gives_back(&w->pages, event);
	uint64_t moved = w->pages.moved_bytes;
	struct massif_sizes sizes;
	bool changed;

	if (event->r.kind != EVENT_SYSCALL_BEGIN && event->r.kind != EVENT_SYSCALL_END &&
	    !w->pages.waiting_count)
		return;
	if (event->r.stamp < w->since_stamp) {
		page_heap_event(&w->pages, event, NULL);
		w->now = sizes_now(w, event->r.stamp);
		return;
	}
	if (!w->has_begun)
		begin(w, event->r.stamp);
	if (!is_exact && is_release)
		take_peak(w, event->r.stamp, NULL);
	changed = page_heap_event(&w->pages, event, &w->log);
	if (is_release)
		w->is_peak_open = false;
	if (!changed)
		return;
	sizes = sizes_now(w, event->r.stamp);
	advance(w, &sizes, w->pages.moved_bytes - moved, event->r.stamp, 1);
	if (is_exact)
		follow_peak(w, &sizes, event->r.stamp);
	take_normal(w, event->r.stamp);
}

static void blocks_event(struct massif_watch *w, const struct event *event,
			 const struct change *change)
{
	bool is_exact = w->options->peak_inaccuracy == 0;
	uint64_t stamp = event->r.stamp;
	struct massif_sizes sizes;
	bool has_blocks = concerns_blocks(change), is_heir;

	if (!has_blocks && !change->has_call)
		return;
	is_heir = !w->heap && change->heap->inherited_blocks;
	w->heap = change->heap;
	if (w->options->extra == EXTRA_EXACT)
		count_mapped(w, change);
	if (w->arena)
		follow_arena(w, event, change);
	sizes = sizes_now(w, stamp);
	if (is_heir)
		w->now = sizes;
	if (stamp < w->since_stamp) {
		w->now = sizes;
		return;
	}
	if (!w->has_begun)
		begin(w, stamp);
	if (is_exact)
		note_sites(w, change);
	if (gives_back(change)) {
		if (!is_exact)
			take_peak(w, stamp, change);
		w->is_peak_open = false;
	}
	advance(w, &sizes, distance(sizes.heap + sizes.extra, w->now.heap + w->now.extra), stamp,
		change->has_call ? change->call.weight : 0);
	if (is_exact)
		follow_peak(w, &sizes, stamp);
	if (has_blocks)
		take_normal(w, stamp);
}

void massif_watch_event(struct massif_watch *w, const struct event *event,
			const struct change *change)
{
	if (w->options->is_pages)
		pages_event(w, event);
	else if (change->heap)
		blocks_event(w, event, change);
}

void massif_watch_finish(struct massif_watch *w, bool with_last, uint64_t stamp)
{
	struct snapshot s;

	if (!w->has_begun)
		begin(w, stamp);
	if (with_last) {
		s = snapshot_of(w, &w->now, stamp, SNAPSHOT_DETAILED);
		collect(w, &s, STATE_NOW, NULL);
		snapshots_add(&w->snapshots, &s);
	}
	if (w->options->peak_inaccuracy == 0 && w->peak_total > 0) {
		collect(w, &w->peak, STATE_PEAK, NULL);
		snapshots_insert_peak(&w->snapshots, &w->peak);
	}
}
