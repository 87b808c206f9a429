/*
 * health.c - the footer: one sentence for each thing that makes a report less
 * than complete. Says nothing where nothing is wrong.
 */
#include "forms/health.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "base/visible.h"
#include "base/xmem.h"

/* Modules whose symbols are missing: lines shown under a text report. */
#define MISSING_SHOWN 3

static const char *const loss_keys[] = {
#define ROW(name, key, text) key,
	LOSS_CAUSES(ROW)
#undef ROW
};

static const char *const loss_texts[] = {
#define ROW(name, key, text) text,
	LOSS_CAUSES(ROW)
#undef ROW
};

static void add(struct health *h, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add(struct health *h, const char *format, ...)
{
	va_list ap;
	char *text;

	va_start(ap, format);
	text = xvasprintf(format, ap);
	va_end(ap);
	xgrow(&h->notes, &h->capacity, h->count, sizeof(*h->notes));
	h->notes[h->count++] = visible_text(text);
	free(text);
}

/* The larger of what counters and records say: both count the same events. */
static uint64_t lost(const struct run *run, size_t cause)
{
	uint64_t in_records = 0;

	for (size_t i = 0; run->replay && i < replay_heap_count(run->replay); i++)
		in_records += replay_heap(run->replay, i)->losses[cause];
	return run->recording->losses[cause] > in_records ?
	       run->recording->losses[cause] : in_records;
}

static void add_sampling(struct health *h, const struct recording *r)
{
	uint64_t bytes = recording_sampling(r);
	char size[UNITS_MAX];

	if (bytes > 0)
		add(h, "heap figures are estimates: one sample per %s on average (record --sample); "
		    "calls shown one by one are the sampled ones only, and which blocks are "
		    "temporary is not known", units_bytes(size, bytes));
}

static void add_losses(struct health *h, const struct run *run)
{
	char count[UNITS_MAX];

	for (size_t i = 0; i < LOSS_COUNT; i++) {
		uint64_t n = lost(run, i);

		if (n > 0)
			add(h, "%s event%s lost: %s", units_count(count, n),
			    n == 1 ? "" : "s", loss_texts[i]);
	}
}

static void add_damage(struct health *h, const struct recording *r)
{
	char segments[UNITS_MAX], bytes[UNITS_MAX];

	if (r->damaged_segments > 0)
		add(h, "%s segment%s (%s) of the recording could not be read%s%s",
		    units_count(segments, r->damaged_segments),
		    r->damaged_segments == 1 ? "" : "s",
		    units_bytes(bytes, r->damaged_bytes),
		    *r->damage ? "; the first: " : "", r->damage);
	else if (*r->damage)
		add(h, "the recording is damaged: %s", r->damage);
	if (r->is_ring)
		add(h, "this is a session ring, not a finished recording: "
		       "'allotrope recover' makes one of it");
	else if (!r->complete)
		add(h, "the recording is being made, or was cut short: what is not in it yet "
		       "is missing");
	if (r->unwritten_segments > 0)
		add(h, "%s segment%s (%s of records) that the recorder had taken %s not in its file",
		    units_count(segments, r->unwritten_segments),
		    r->unwritten_segments == 1 ? "" : "s", units_bytes(bytes, r->unwritten_bytes),
		    r->unwritten_segments == 1 ? "is" : "are");
	if (r->clock_is_estimate)
		add(h, "times are an estimate: the recording has one clock sample only");
}

static void add_heap(struct health *h, const struct run *run, const struct heap *heap)
{
	char count[UNITS_MAX], when[UNITS_MAX];
	int64_t ns;

	if (heap->unmatched_frees > 0) {
		ns = recording_ns(run->recording, heap->unmatched_first_stamp);
		add(h, "pid %" PRIu32 ": %s free%s of blocks that were never seen or were free already, the "
		    "first at 0x%" PRIx64 " %s into the recording", heap->image->pid,
		    units_count(count, heap->unmatched_frees),
		    heap->unmatched_frees == 1 ? "" : "s", heap->unmatched_first_addr,
		    units_ns(when, ns > 0 ? (uint64_t)ns : 0));
	}
	if (heap->overlaps > 0)
		add(h, "pid %" PRIu32 ": %s block%s given out at an address that was still in "
		    "use: releases are missing", heap->image->pid,
		    units_count(count, heap->overlaps), heap->overlaps == 1 ? "" : "s");
	if (heap->inherited_blocks > 0 && !heap->inherited_is_exact)
		add(h, "pid %" PRIu32 ": its parent had several threads at the fork: what it "
		    "inherited (%s blocks) may be wrong by a few", heap->image->pid,
		    units_count(count, heap->inherited_blocks));
}

/* What could not be recorded at all: at most a few lines. */
static void add_faults(struct health *h, const struct recording *r)
{
	size_t faults = 0;

	for (size_t i = 0; i < r->note_count; i++)
		if (r->notes[i].fault && ++faults <= 3)
			add(h, "%s", r->notes[i].text);
	if (faults > 3)
		add(h, "%zu more such notes: 'allotrope info' lists them", faults - 3);
}

/* Programs of the tree that no report can show. */
static void add_unrecorded(struct health *h, const struct recording *r)
{
	size_t gone = recording_unrecorded_programs(r), reasons = 0, used = 0;
	const char *seen[EXEC_REASON_COUNT + 1];
	char a[UNITS_MAX], b[UNITS_MAX], list[200] = "";

	for (size_t i = 0; i < r->unrecorded_count && reasons <= EXEC_REASON_COUNT; i++) {
		const char *key = unrecorded_reason_key(&r->unrecorded[i]);
		size_t k = 0;

		while (k < reasons && strcmp(seen[k], key) != 0)
			k++;
		if (r->unrecorded[i].error || k < reasons)
			continue;
		seen[reasons++] = key;
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
					 used ? ", " : "", key);
	}
	if (gone > 0)
		add(h, "%s of %s programs %s not recorded (%s): 'allotrope info' tells which and why",
		    units_count(a, gone), units_count(b, gone + r->image_count),
		    gone == 1 ? "was" : "were", list);
	for (size_t i = 0; i < r->oom_count; i++)
		add(h, "the kernel killed %s process%s of its cgroup for lack of memory",
		    units_count(a, r->oom_kills[i].count), r->oom_kills[i].count == 1 ? "" : "es");
}

static void add_missing(struct health *h, const char *missing)
{
	size_t lines = 0, more = 0;

	while (*missing) {
		size_t length = strcspn(missing, "\n");

		if (length > 0 && lines++ < MISSING_SHOWN)
			add(h, "%.*s", (int)length, missing);
		else if (length > 0)
			more++;
		missing += length;
		missing += *missing == '\n';
	}
	if (more > 0)
		add(h, "%zu more object%s without debug information", more,
		    more == 1 ? "" : "s");
}

struct health *health_new(const struct run *run)
{
	struct health *h = xcalloc(1, sizeof(*h));

	add_sampling(h, run->recording);
	for (size_t i = 0; i < run->note_count; i++)
		add(h, "%s", run->notes[i]);
	add_losses(h, run);
	add_damage(h, run->recording);
	for (size_t i = 0; i < run->heap_count; i++)
		add_heap(h, run, run->heaps[i]);
	add_faults(h, run->recording);
	add_unrecorded(h, run->recording);
	if (run->resolver)
		add_missing(h, resolver_missing(run->resolver));
	return h;
}

void health_free(struct health *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->count; i++)
		free(h->notes[i]);
	free(h->notes);
	free(h);
}

json_t *health_losses(const struct run *run)
{
	json_t *losses = json_object();

	for (size_t i = 0; i < LOSS_COUNT; i++)
		if (lost(run, i) > 0)
			json_object_set_new(losses, loss_keys[i],
					    json_from_number(lost(run, i)));
	return losses;
}

void health_add_json(const struct health *h, const struct run *run, json_t *object)
{
	const struct recording *r = run->recording;
	json_t *notes = json_array();

	for (size_t i = 0; i < h->count; i++)
		json_array_append_new(notes, json_string(h->notes[i]));
	json_object_set_new(object, "notes", notes);
	json_object_set_new(object, "damaged_segments",
			    json_from_number(r->damaged_segments));
	json_object_set_new(object, "damage",
			    *r->damage ? json_from_text(r->damage) : json_null());
}
