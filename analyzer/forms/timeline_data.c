/*
 * timeline_data.c - events into rows. Each image's row under way is kept until an event falls
 * into a later step; the steps between are copies of the state it left.
 */
#include "forms/timeline_data.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"

void timeline_init(struct timeline *t, const struct recording *r, uint64_t from_stamp,
		   uint64_t to_stamp, size_t rows)
{
	t->recording = r;
	t->from_stamp = from_stamp;
	t->to_stamp = to_stamp > from_stamp ? to_stamp : from_stamp + 1;
	t->row_count = rows;
	t->per_tick = 1 / (double)(t->to_stamp - t->from_stamp);
}

void timeline_release(struct timeline *t)
{
	for (size_t i = 0; i < t->series_count; i++)
		free(t->series[i].rows);
	free(t->series);
	free(t->cells);
}

/* The step of COUNT steps in which STAMP lies; COUNT where it is after the span. */
static size_t step_of(const struct timeline *t, uint64_t stamp, size_t count)
{
	size_t step;

	if (stamp <= t->from_stamp)
		return 0;
	if (stamp > t->to_stamp)
		return count;
	/* a step includes its end: the peak at the last stamp belongs to the last row */
	step = (size_t)((double)(stamp - t->from_stamp - 1) * (double)count * t->per_tick);
	return step < count ? step : count - 1;
}

static struct timeline_series *series_of(struct timeline *t, const struct image *image)
{
	struct timeline_series *s;

	for (size_t i = t->series_count; i > 0; i--)
		if (t->series[i - 1].image == image)
			return &t->series[i - 1];
	xgrow(&t->series, &t->series_capacity, t->series_count, sizeof(*t->series));
	s = &t->series[t->series_count++];
	memset(s, 0, sizeof(*s));
	s->image = image;
	s->rows = xcalloc(t->row_count, sizeof(*s->rows));
	return s;
}

/* Complete the rows before STEP. */
static void advance(struct timeline *t, struct timeline_series *s, size_t step)
{
	while (s->filled < step && s->filled < t->row_count) {
		s->rows[s->filled++] = s->now;
		s->now.most_bytes = s->now.live.bytes;
		s->now.most_mapped = s->now.mapped_bytes;
		s->now.most_malloc_mapped = s->now.malloc_mapped_bytes;
		s->now.most_break = s->now.break_bytes;
		s->now.calls = 0;
	}
}

/* Before the span nothing is the most of its first step but what is there when it begins. */
static void raise_to(uint64_t *most, uint64_t now, bool is_inside)
{
	if (!is_inside || now > *most)
		*most = now;
}

static void note_size(struct timeline *t, const struct event *event, const struct change *change)
{
	size_t column = step_of(t, event->r.stamp, SIZE_COLUMNS);
	struct amount weight = replay_weight(change->heap, &change->block);
	uint64_t size = change->block.size;
	struct timeline_cell *cell;
	unsigned power = size ? 63 - (unsigned)__builtin_clzll(size) : 0;
	unsigned part = power >= 3 ? (unsigned)(size >> (power - 3)) & 7 :
				     (unsigned)(size << (3 - power)) & 7;

	if (!t->cells)
		t->cells = xcalloc(SIZE_COLUMNS * SIZE_ROWS, sizeof(*t->cells));
	/* size is at most BLOCK_SIZE_MAX, 2^47 */
	cell = &t->cells[column * SIZE_ROWS + power * SIZE_STEPS + part];
	if (cell->calls == 0)
		cell->size = size;
	cell->calls += weight.blocks;
}

void timeline_event(struct timeline *t, const struct event *event, const struct change *change)
{
	const struct heap *heap = change->heap;
	bool is_inside = event->r.stamp >= t->from_stamp && event->r.stamp <= t->to_stamp;
	struct timeline_series *s;
	uint64_t most;

	if (!heap)
		return;
	s = series_of(t, heap->image);
	advance(t, s, step_of(t, event->r.stamp, t->row_count));
	s->now.live = heap->live;
	/* a peak within the step: the event may have released something else as well */
	most = change->new_peak ? heap->peak.bytes : heap->live.bytes;
	raise_to(&s->now.most_bytes, is_inside ? most : heap->live.bytes, is_inside);
	if (is_inside && s->now.most_bytes >= s->peak_bytes) {
		/* ties take the latest, as the peak does */
		if (most >= s->peak_bytes) {
			s->peak_bytes = most;
			s->peak_stamp = event->r.stamp;
		}
	}
	s->now.mapped_bytes = heap->mapped_live.bytes;
	s->now.malloc_mapped_bytes = heap->heap_mapped_live;
	s->now.break_bytes = heap->break_now > heap->break_start ?
			     heap->break_now - heap->break_start : 0;
	raise_to(&s->now.most_mapped, s->now.mapped_bytes, is_inside);
	raise_to(&s->now.most_malloc_mapped, s->now.malloc_mapped_bytes, is_inside);
	raise_to(&s->now.most_break, s->now.break_bytes, is_inside);
	if (!is_inside || !change->has_call)
		return;
	s->now.calls += change->call.weight;
	if (change->acquired && change->kind == KIND_HEAP)
		note_size(t, event, change);
}

void timeline_add_image(struct timeline *t, uint32_t image)
{
	const struct image *i = recording_image(t->recording, image);

	if (i)
		series_of(t, i);
}

/* The samples of the image of S: the largest of each step, carried on where there is none. */
static void add_samples(struct timeline *t, struct timeline_series *s)
{
	const struct recording *r = t->recording;
	struct timeline_row *last = NULL;

	for (size_t i = 0; i < r->sample_count; i++) {
		const struct memory_sample *m = &r->samples[i];
		size_t step = step_of(t, m->stamp, t->row_count);
		struct timeline_row *row;

		if (m->image != s->image->number)
			continue;
		if (step >= t->row_count) {
			/* taken when the process had ended its last call: the end of the last step */
			if (m->stamp - t->to_stamp > (t->to_stamp - t->from_stamp) / t->row_count)
				continue;
			step = t->row_count - 1;
		}
		row = &s->rows[step];
		if (!row->has_rss || m->rss > row->rss_bytes)
			row->rss_bytes = m->rss;
		row->has_rss = true;
	}
	for (size_t i = 0; i < t->row_count; i++) {
		struct timeline_row *row = &s->rows[i];

		if (row->has_rss) {
			last = row;
		} else if (last) {
			row->rss_bytes = last->rss_bytes;
			row->has_rss = true;
		}
	}
}

/* What ended within the span has no memory from then on. */
static void clear_after_end(struct timeline *t, struct timeline_series *s)
{
	size_t last = step_of(t, s->image->end_stamp, t->row_count);

	if (!s->image->has_exit || last >= t->row_count)
		return;
	for (size_t i = last + 1; i < t->row_count; i++)
		memset(&s->rows[i], 0, sizeof(s->rows[i]));
}

static int compare_start(const void *pa, const void *pb)
{
	const struct timeline_series *a = pa, *b = pb;

	return a->image->number < b->image->number ? -1 : a->image->number > b->image->number;
}

void timeline_finish(struct timeline *t)
{
	for (size_t i = 0; i < t->series_count; i++) {
		advance(t, &t->series[i], t->row_count);
		add_samples(t, &t->series[i]);
		clear_after_end(t, &t->series[i]);
	}
	if (t->series_count > 1)
		qsort(t->series, t->series_count, sizeof(*t->series), compare_start);
}

static double seconds(const struct timeline *t, double part)
{
	double from = (double)recording_ns(t->recording, t->from_stamp);
	double to = (double)recording_ns(t->recording, t->to_stamp);

	return (from + (to - from) * part) / 1e9;
}

double timeline_row_seconds(const struct timeline *t, size_t i)
{
	return seconds(t, (double)(i + 1) / (double)t->row_count);
}

double timeline_column_seconds(const struct timeline *t, size_t i)
{
	return seconds(t, ((double)i + 0.5) / SIZE_COLUMNS);
}

double timeline_step_seconds(const struct timeline *t)
{
	return (seconds(t, 1) - seconds(t, 0)) / (double)t->row_count;
}
