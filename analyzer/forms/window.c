/*
 * window.c - totals at the window's end minus totals at its start, and the peak
 * in between. Relies on replays of the same events being alike: site i is the same
 * site in each of them.
 */
#include "forms/window.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"

/* What is followed of one image. */
struct track {
	uint32_t image;
	struct amount peak;          /* most live bytes, and the blocks then */
	uint64_t peak_stamp, peak_usable;
	struct amount mapped_peak;
	uint64_t peak_event[KIND_COUNT]; /* number of the event in the window; 0: before the first */
	struct amount *site_peaks;   /* by site, at peak_event of its kind */
	size_t site_count;
	struct heap result;
	bool has_result;
};

struct window {
	const struct replay *base;
	struct track **tracks;
	size_t track_count, track_capacity;
	uint64_t events, repeated;   /* events noted; in the second replay */
};

static struct track *find_track(const struct window *w, uint32_t image)
{
	for (size_t i = w->track_count; i > 0; i--)
		if (w->tracks[i - 1]->image == image)
			return w->tracks[i - 1];
	return NULL;
}

/* The sites of KIND as they are now; a site that is not there yet has nothing. */
static void keep_sites(struct track *t, const struct heap *heap, uint8_t kind)
{
	if (heap->site_count > t->site_count) {
		t->site_peaks = xreallocarray(t->site_peaks, heap->site_count,
					      sizeof(*t->site_peaks));
		memset(t->site_peaks + t->site_count, 0,
		       (heap->site_count - t->site_count) * sizeof(*t->site_peaks));
		t->site_count = heap->site_count;
	}
	for (size_t i = 0; i < heap->site_count; i++)
		if (heap->sites[i].kind == kind)
			t->site_peaks[i] = heap->sites[i].live;
}

static struct track *add_track(struct window *w, uint32_t image)
{
	const struct heap *base = replay_image_heap(w->base, image);
	struct track *t = xcalloc(1, sizeof(*t));

	t->image = image;
	if (base) {
		t->peak = base->live;
		t->peak_usable = base->usable_live;
		t->peak_stamp = base->last_stamp;
		t->mapped_peak = base->mapped_live;
		keep_sites(t, base, KIND_HEAP);
		keep_sites(t, base, KIND_MAPPING);
	}
	xgrow(&w->tracks, &w->track_capacity, w->track_count, sizeof(*w->tracks));
	w->tracks[w->track_count++] = t;
	return t;
}

struct window *window_new(const struct replay *base)
{
	struct window *w = xcalloc(1, sizeof(*w));

	w->base = base;
	return w;
}

void window_free(struct window *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->track_count; i++) {
		free(w->tracks[i]->site_peaks);
		free(w->tracks[i]->result.sites);
		free(w->tracks[i]->result.sizes);
		free(w->tracks[i]);
	}
	free(w->tracks);
	free(w);
}

void window_note(struct window *w, const struct event *event,
		 const struct change *change)
{
	const struct heap *heap = change->heap;
	struct track *t;

	w->events++;
	if (!heap)
		return;
	t = find_track(w, event->image);
	if (!t)
		t = add_track(w, event->image);
	/* ties take the latest, as the replay does */
	if (heap->live.bytes >= t->peak.bytes) {
		t->peak = heap->live;
		t->peak_usable = heap->usable_live;
		t->peak_stamp = event->r.stamp;
		t->peak_event[KIND_HEAP] = w->events;
	}
	if (heap->mapped_live.bytes >= t->mapped_peak.bytes) {
		t->mapped_peak = heap->mapped_live;
		t->peak_event[KIND_MAPPING] = w->events;
	}
}

bool window_needs_repeat(const struct window *w)
{
	for (size_t i = 0; i < w->track_count; i++)
		if (w->tracks[i]->peak_event[KIND_HEAP] > 0 ||
		    w->tracks[i]->peak_event[KIND_MAPPING] > 0)
			return true;
	return false;
}

void window_repeat(struct window *w, const struct change *change)
{
	struct track *t;

	w->repeated++;
	if (!change->heap)
		return;
	t = find_track(w, change->heap->image->number);
	for (uint8_t kind = 0; t && kind < KIND_COUNT; kind++)
		if (t->peak_event[kind] == w->repeated)
			keep_sites(t, change->heap, kind);
}

static struct amount minus(struct amount a, struct amount b)
{
	return (struct amount){ a.blocks - b.blocks, a.bytes - b.bytes };
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/*
 * The vote on a site's size. Where the size was in the lead before the window, what
 * was counted then is taken off; another size has been counted since, so all in the
 * window. Either way it stays "at least so many", and is no more than the window's
 * blocks. The votes of the whole say nothing of a part: they are made anew.
 */
static void subtract_vote(struct site *s, const struct site *base)
{
	if (base->main_blocks > 0 && base->main_size == s->main_size)
		s->main_blocks = less(s->main_blocks, base->main_blocks);
	if (s->main_blocks > s->total.blocks)
		s->main_blocks = s->total.blocks;
	s->main_votes = less(s->main_blocks, s->total.blocks - s->main_blocks);
}

static void subtract_sites(struct heap *h, const struct heap *base,
			   const struct track *t)
{
	for (size_t i = 0; i < h->site_count; i++) {
		struct site *s = &h->sites[i];

		s->peak = i < t->site_count ? t->site_peaks[i] : (struct amount){ 0, 0 };
		if (!base || i >= base->site_count)
			continue;
		s->total = minus(s->total, base->sites[i].total);
		s->freed = minus(s->freed, base->sites[i].freed);
		s->temporary = minus(s->temporary, base->sites[i].temporary);
		s->moved = minus(s->moved, base->sites[i].moved);
		s->reallocs -= base->sites[i].reallocs;
		subtract_vote(s, &base->sites[i]);
		s->lifetime_ticks -= base->sites[i].lifetime_ticks;
		s->usable_bytes -= base->sites[i].usable_bytes;
	}
}

/* Both tables are ascending; the base's sizes are a part of the whole's. */
static void subtract_sizes(struct heap *h, const struct heap *base)
{
	size_t kept = 0, at = 0;

	for (size_t i = 0; i < h->size_count; i++) {
		struct size_row row = h->sizes[i];

		while (at < base->size_count && base->sizes[at].size < row.size)
			at++;
		if (at < base->size_count && base->sizes[at].size == row.size) {
			row.count -= base->sizes[at].count;
			row.bytes -= base->sizes[at].bytes;
			row.usable_bytes -= base->sizes[at].usable_bytes;
		}
		if (row.count > 0)
			h->sizes[kept++] = row;
	}
	h->size_count = kept;
}

static void subtract_calls(struct heap *h, const struct heap *base)
{
	for (size_t i = 0; i < FUNC_COUNT; i++) {
		h->funcs[i].calls -= base->funcs[i].calls;
		h->funcs[i].failed -= base->funcs[i].failed;
		h->funcs[i].bytes -= base->funcs[i].bytes;
		h->funcs[i].timed_calls -= base->funcs[i].timed_calls;
		h->funcs[i].timed_ticks -= base->funcs[i].timed_ticks;
	}
	for (size_t i = 0; i < SYS_MEM_COUNT; i++) {
		h->syscalls[i].calls -= base->syscalls[i].calls;
		h->syscalls[i].errors -= base->syscalls[i].errors;
		h->syscalls[i].in_allocator -= base->syscalls[i].in_allocator;
		h->syscalls[i].inferred -= base->syscalls[i].inferred;
		h->syscalls[i].ticks -= base->syscalls[i].ticks;
		h->syscalls[i].grow -= base->syscalls[i].grow;
		h->syscalls[i].trim -= base->syscalls[i].trim;
		h->syscalls[i].grow_bytes -= base->syscalls[i].grow_bytes;
		h->syscalls[i].trim_bytes -= base->syscalls[i].trim_bytes;
		h->syscalls[i].turns -= base->syscalls[i].turns;
	}
}

static void subtract_totals(struct heap *h, const struct heap *base)
{
	h->total = minus(h->total, base->total);
	h->freed = minus(h->freed, base->freed);
	h->temporary = minus(h->temporary, base->temporary);
	h->mapped_total = minus(h->mapped_total, base->mapped_total);
	for (size_t i = 0; i < CLASS_COUNT; i++)
		h->by_class[i] = minus(h->by_class[i], base->by_class[i]);
	h->free_calls -= base->free_calls;
	h->unmatched_frees -= base->unmatched_frees;
	h->overlaps -= base->overlaps;
	h->events -= base->events;
	subtract_calls(h, base);
	subtract_sizes(h, base);
}

struct heap *window_heap(struct window *w, const struct heap *heap)
{
	const struct heap *base = replay_image_heap(w->base, heap->image->number);
	struct track *t = find_track(w, heap->image->number);
	struct heap *h;

	if (!t)
		t = add_track(w, heap->image->number);
	h = &t->result;
	if (t->has_result)
		return h;
	t->has_result = true;
	*h = *heap;
	h->sites = xcalloc(heap->site_count + 1, sizeof(*h->sites));
	h->sizes = xcalloc(heap->size_count + 1, sizeof(*h->sizes));
	if (heap->site_count)
		memcpy(h->sites, heap->sites, heap->site_count * sizeof(*h->sites));
	if (heap->size_count)
		memcpy(h->sizes, heap->sizes, heap->size_count * sizeof(*h->sizes));
	subtract_sites(h, base, t);
	if (base)
		subtract_totals(h, base);
	h->peak = t->peak;
	h->peak_stamp = t->peak_stamp;
	h->usable_peak = t->peak_usable;
	h->mapped_peak = t->mapped_peak;
	/* a child that was forked in the window and did nothing has what it inherited */
	if (h->peak.bytes < h->end.bytes)
		h->peak = h->end;
	return h;
}
