/*
 * info_events.c - replays a recording for allotrope info. Relies on reading.c as every
 * report does: a form that prints nothing watches the events go by.
 */
#include "cli/info_events.h"

#include <stdlib.h>
#include <string.h>

#include "base/emit.h"
#include "base/units.h"
#include "base/xmem.h"
#include "cli/info_anonymous.h"
#include "forms/stack_text.h"
#include "model/unmatched.h"

/* Places shown in text, for each process; and of processes. */
#define PLACES_MAX 5
#define IMAGES_MAX 10

struct info_events {
	struct reading reading;
	bool has_events;
	struct anonymous *anonymous;
};

/* ---- reading ---- */

static void watch(struct run *run, const struct event *event, const struct change *change)
{
	struct info_events *e = run->state;

	(void)change;
	anonymous_watch(e->anonymous, run->replay, event->r.stamp);
}

static const struct form watching = {
	.name = "info",
	.summary = "",
	.needs = NEED_HEAP | NEED_SYMBOLS | NEED_REGIONS | NEED_BLOCKS | NEED_ALL,
	.watch = watch,
};

struct info_events *info_events_new(const char *file, bool headers_only, struct diag *d)
{
	struct info_events *e = xcalloc(1, sizeof(*e));
	struct reading *rd = &e->reading;

	rd->options.file = file;
	rd->options.is_all = true;
	rd->options.exec_number = -1;
	rd->run.state = e;
	if (reading_open(rd, &watching) != 0)
		goto fail;
	if (headers_only)
		return e;
	if (reading_prepare(rd) != 0)
		goto fail;
	e->anonymous = anonymous_new(rd->run.recording);
	reading_begin(rd);
	if (reading_replay(rd) != 0)
		goto fail;
	anonymous_watch(e->anonymous, rd->run.replay, UINT64_MAX);
	e->has_events = true;
	return e;
fail:
	*d = rd->diag;
	info_events_free(e);
	return NULL;
}

struct recording *info_events_recording(struct info_events *e)
{
	return e->reading.run.recording;
}

void info_events_free(struct info_events *e)
{
	if (!e)
		return;
	anonymous_free(e->anonymous);
	reading_release(&e->reading);
	free(e);
}

/* ---- unmatched frees ---- */

static bool has_free_stacks(const struct heap *heap)
{
	return heap->image->features & FEATURE_FREE_STACKS;
}

/* Places whose innermost frame is the same line of the same function. */
struct place {
	frame_node line;
	stack_id stack;        /* the most frequent one of them */
	uint64_t count, first_stamp;
};

static int compare_places(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;

	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return a->first_stamp < b->first_stamp ? -1 : a->first_stamp > b->first_stamp;
}

/* Of HEAP, the most frequent first. *COUNT of them; the caller's to free. */
static struct place *places_of(struct frame_tree *tree, const struct heap *heap, size_t *count)
{
	size_t all, n = 0;
	struct unmatched_place *found = unmatched_places(heap->unmatched, &all);
	struct place *places = xcalloc(all + 1, sizeof(*places));

	for (size_t i = 0; i < all; i++) {
		frame_node line = frame_tree_site_cut(tree, found[i].stack, false, 1);
		size_t k = 0;

		while (k < n && places[k].line != line)
			k++;
		if (k == n)
			places[n++] = (struct place){
				.line = line, .stack = found[i].stack, .first_stamp = UINT64_MAX,
			};
		places[k].count += found[i].count;
		if (found[i].first_stamp < places[k].first_stamp)
			places[k].first_stamp = found[i].first_stamp;
	}
	qsort(places, n, sizeof(*places), compare_places);
	free(found);
	*count = n;
	return places;
}

static void put_places(struct frame_tree *tree, const struct heap *heap, info_put *put)
{
	size_t count;
	struct place *places = places_of(tree, heap, &count);
	char n[UNITS_MAX];

	for (size_t i = 0; i < count && i < PLACES_MAX; i++) {
		char *text = frame_text(frame_tree_frame(tree, places[i].line));

		put("", "  %s %s %s", units_count(n, places[i].count),
		    has_free_stacks(heap) ? "from" : "soon after a call in", text);
		free(text);
	}
	if (count > PLACES_MAX)
		put("", "  and %s more places", units_count(n, count - PLACES_MAX));
	free(places);
}

static struct frame_tree *tree_of(struct info_events *e)
{
	return frame_tree_new(e->reading.run.resolver, e->reading.run.wrappers, e->reading.run.stacks);
}

static void put_unmatched(struct info_events *e, info_put *put)
{
	const struct run *run = &e->reading.run;
	struct frame_tree *tree = tree_of(e);
	size_t shown = 0, more = 0;
	bool is_near = false;
	char n[UNITS_MAX];

	for (size_t i = 0; i < run->heap_count; i++) {
		const struct heap *heap = run->heaps[i];

		if (!heap->unmatched_frees)
			continue;
		if (shown == IMAGES_MAX) {
			more++;
			continue;
		}
		put(shown++ ? "" : "unmatched", "process %u: %s free%s of blocks that were "
		    "never seen or were free already",
		    heap->image->pid, units_count(n, heap->unmatched_frees),
		    heap->unmatched_frees == 1 ? "" : "s");
		put_places(tree, heap, put);
		is_near |= !has_free_stacks(heap);
	}
	if (more)
		put("", "and %s more processes", units_count(n, more));
	if (is_near)
		put("", "where free itself was called tells record --free-stacks");
	if (!shown)
		put("unmatched", "no free of a block that was never seen or was free already");
	frame_tree_free(tree);
}

static json_t *unmatched_json(struct info_events *e)
{
	const struct run *run = &e->reading.run;
	struct frame_tree *tree = tree_of(e);
	json_t *list = json_array();

	for (size_t i = 0; i < run->heap_count; i++) {
		const struct heap *heap = run->heaps[i];
		size_t count;
		struct place *places = places_of(tree, heap, &count);

		for (size_t k = 0; k < count; k++)
			json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:f, s:b, s:o}",
				"image", json_from_number(heap->image->number),
				"pid", json_from_number(heap->image->pid),
				"count", json_from_number(places[k].count),
				"first_s", (double)recording_ns(run->recording, places[k].first_stamp) / 1e9,
				"stack_is_its_own", has_free_stacks(heap),
				"stack", stack_json(tree, frame_tree_site(tree, places[k].stack, false))));
		free(places);
	}
	frame_tree_free(tree);
	return list;
}

/* ---- both ---- */

void info_events_lines(struct info_events *e, info_put *put)
{
	if (!e->has_events)
		return;
	put_unmatched(e, put);
	anonymous_lines(e->anonymous, put);
}

void info_events_json(struct info_events *e, json_t *o)
{
	json_object_set_new(o, "unmatched_frees", e->has_events ? unmatched_json(e) : json_null());
	json_object_set_new(o, "unexplained_memory",
			    e->has_events ? anonymous_json(e->anonymous) : json_null());
}
