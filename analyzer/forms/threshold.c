/*
 * threshold.c - the report `threshold`: by requested size where malloc took the memory from
 * and what free gave back, and the threshold between heap and mappings over time.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"
#include "forms/form.h"
#include "forms/threshold_facts.h"

struct program {
	struct served *served;   /* NULL: not shown, or without an event in the window */
	struct threshold_found found;
};

struct threshold_state {
	bool explains;           /* --explain */
	bool each;               /* --each */
	struct threshold_tracks *tracks;
	struct program *programs; /* as recording.images */
	struct emit *table;
};

enum {
	COL_SIZE, COL_CALLS, COL_HEAP, COL_BRK, COL_ARENA, COL_MAPPED, COL_MAPPED_BYTES,
	COL_KEPT, COL_TRIMMED, COL_UNMAPPED, COL_PID, COL_EXEC, COLS,
};

#define MACHINE (SHOW_CSV | SHOW_JSON)

static const struct column columns[COLS] = {
	[COL_SIZE] = { "size", NULL, COLUMN_EXACT, MACHINE, false, "requested bytes" },
	[COL_CALLS] = { "calls", NULL, COLUMN_EXACT, MACHINE, false, "calls that returned a block" },
	[COL_HEAP] = { "heap", NULL, COLUMN_EXACT, MACHINE, false,
		"of them: from the main heap, without a system call" },
	[COL_BRK] = { "brk", NULL, COLUMN_EXACT, MACHINE, false, "from the main heap, which grew" },
	[COL_ARENA] = { "arena", NULL, COLUMN_EXACT, MACHINE, false, "from a thread's arena" },
	[COL_MAPPED] = { "mapped", NULL, COLUMN_EXACT, MACHINE, false, "by a mapping of their own" },
	[COL_MAPPED_BYTES] = { "mapped_bytes", NULL, COLUMN_EXACT, MACHINE, false,
		"bytes of those mappings" },
	[COL_KEPT] = { "kept", NULL, COLUMN_EXACT, MACHINE, false, "freed, and kept for the next malloc" },
	[COL_TRIMMED] = { "trimmed", NULL, COLUMN_EXACT, MACHINE, false,
		"freed, and the end of the heap given back" },
	[COL_UNMAPPED] = { "unmapped", NULL, COLUMN_EXACT, MACHINE, false, "freed, and their mapping too" },
	[COL_PID] = { "pid", NULL, COLUMN_EXACT, MACHINE, false, "process" },
	[COL_EXEC] = { "exec", NULL, COLUMN_EXACT, MACHINE, false, "program of that process" },
};

/* ---- while reading ---- */

static int threshold_begin(struct run *run)
{
	struct threshold_state *s = run->state;
	const struct recording *r = run->recording;
	bool has_image = false, has_calls = false;

	for (size_t i = 0; i < r->image_count; i++) {
		if (!run_shows(run, r->images[i].number) || !r->images[i].is_described)
			continue;
		has_image = true;
		has_calls |= r->images[i].features & (FEATURE_SITES_EXACT | FEATURE_SITES_INFERRED);
	}
	if (has_image && !has_calls) {
		diag_set(run->diag, STATUS_USAGE, "where malloc took its memory from was not recorded: "
			 "record without --syscalls=off does that");
		return -1;
	}
	s->tracks = threshold_tracks_new(r);
	s->programs = xcalloc(r->image_count + 1, sizeof(*s->programs));
	return 0;
}

static void threshold_watch(struct run *run, const struct event *event,
			    const struct change *change)
{
	struct threshold_state *s = run->state;

	threshold_tracks_event(s->tracks, event, change);
}

/* Whether CALL tells where the boundary is: aligned requests ask for more than their size. */
static bool tells_boundary(const struct call *call)
{
	return call->result && (call->func == FUNC_MALLOC || call->func == FUNC_CALLOC ||
				call->func == FUNC_REALLOC || call->func == FUNC_REALLOCARRAY);
}

static void look_for_boundary(struct threshold_found *found, const struct threshold_track *track,
			      uint64_t size, enum served_from from)
{
	if (found->moves != track->move_count) {
		if (found->has_mapped)
			return;
		found->moves = track->move_count;
		found->has_grown = false;
	}
	if (from == SERVED_MAPPED) {
		if (!found->has_mapped || size < found->smallest)
			found->smallest = size;
		found->has_mapped = true;
	} else if (from == SERVED_BRK) {
		if (!found->has_grown || size > found->largest)
			found->largest = size;
		found->has_grown = true;
	}
}

static void look_at_request(struct threshold_found *found, const struct threshold_track *track,
			    const struct call *call, enum served_from from)
{
	uint64_t size = call->size * (call->nmemb ? call->nmemb : 1);
	bool grew = from == SERVED_BRK || from == SERVED_ARENA_GROWN;

	look_for_boundary(found, track, size, from);
	if (from == SERVED_MAPPED || from == SERVED_KEPT_MAP)
		return;
	if (size >= malloc_threshold_request(track->now.value[SET_MMAP_THRESHOLD]))
		*(grew ? &found->refused : &found->reused) += call->weight;
	/* what was free there would have served it at any threshold */
	else if (grew && size >= malloc_threshold_request(track->first.value[SET_MMAP_THRESHOLD]))
		found->moved += call->weight;
}

static int threshold_event(struct run *run, const struct event *event,
			   const struct change *change)
{
	struct threshold_state *s = run->state;
	const struct image *image = recording_image(run->recording, event->image);
	struct program *p;
	enum served_from from;

	if (!image)
		return 0;
	p = &s->programs[image - run->recording->images];
	if (!p->served)
		p->served = served_new(image, run->stacks);
	from = served_event(p->served, event, change);
	if (from != SERVED_NOT && tells_boundary(&change->call))
		look_at_request(&p->found, threshold_tracks_of(s->tracks, image, event->r.stamp),
				&change->call, from);
	return 0;
}

/* ---- the figures ---- */

static void facts_init(struct threshold_facts *f, struct run *run, const struct heap *heap)
{
	struct threshold_state *s = run->state;
	struct program *p = &s->programs[heap->image - run->recording->images];
	const struct threshold_track *t = threshold_tracks_of(s->tracks, heap->image,
							      run->until_stamp);
	size_t first = 0, end = t->move_count;

	while (first < t->move_count && t->moves[first].stamp < run->since_stamp)
		first++;
	while (end > first && t->moves[end - 1].stamp > run->until_stamp)
		end--;
	*f = (struct threshold_facts){
		.image = heap->image,
		.heap = heap,
		.track = t,
		.first = first < t->move_count ? t->moves[first].from : t->now,
		.last = end < t->move_count ? t->moves[end].from : t->now,
		/* without moves there is no array either */
		.moves = first < end ? t->moves + first : NULL,
		.move_count = end - first,
		.found = p->found,
		.findings = findings_new(run->recording, heap, NULL, NULL),
		.places = cause_texts_new(run),
		.is_glibc = heap->image->features & FEATURE_GLIBC_MALLOC,
	};
	f->found_settings = f->found.has_mapped && f->found.moves < t->move_count ?
			    &t->moves[f->found.moves].from : &f->last;
	if (!p->served)
		p->served = served_new(heap->image, run->stacks);
	f->rows = served_rows(p->served, &f->row_count);
	f->sum = served_sum(f->rows, f->row_count);
}

static void facts_release(struct threshold_facts *f)
{
	findings_free(f->findings);
	cause_texts_free(f->places);
}

static void put_cells(struct emit *table, const struct threshold_facts *f)
{
	for (size_t i = 0; i < f->row_count; i++) {
		const struct served_row *row = &f->rows[i];
		struct cell cells[COLS] = {
			[COL_SIZE] = cell_number(row->size),
			[COL_CALLS] = cell_number(row->calls),
			[COL_HEAP] = cell_number(row->heap),
			[COL_BRK] = cell_number(row->brk),
			[COL_ARENA] = cell_number(row->arena),
			[COL_MAPPED] = cell_number(row->mapped),
			[COL_MAPPED_BYTES] = cell_number(row->mapped_bytes),
			[COL_KEPT] = cell_number(row->kept),
			[COL_TRIMMED] = cell_number(row->trimmed),
			[COL_UNMAPPED] = cell_number(row->unmapped),
			[COL_PID] = cell_number(f->image->pid),
			[COL_EXEC] = cell_number(f->image->exec_number),
		};

		emit_row(table, cells);
	}
}

static int threshold_end(struct run *run)
{
	struct threshold_state *s = run->state;
	struct emit *table = run->format == EMIT_CSV ? run_table(run, columns, COLS) : NULL;
	json_t *list = run->format == EMIT_JSON ? json_array() : NULL;

	for (size_t i = 0; i < run->heap_count; i++) {
		struct threshold_facts f;

		facts_init(&f, run, run->heaps[i]);
		if (table) {
			put_cells(table, &f);
		} else if (list) {
			json_array_append_new(list, threshold_json(run, &f));
		} else {
			if (i > 0)
				putc('\n', run->out);
			threshold_put_text(run, &f, s->each, s->explains);
		}
		facts_release(&f);
	}
	emit_free(table);
	if (list && !run->is_all && json_array_size(list) == 1) {
		json_write(run->out, json_incref(json_array_get(list, 0)));
		json_decref(list);
	} else if (list) {
		json_write(run->out, list);
	}
	if (recording_sampling(run->recording))
		run_note(run, "blocks were sampled: sizes, and moves of the threshold, that no sampled "
			 "block shows are missing; system calls are exact");
	return 0;
}

static void threshold_release(struct run *run)
{
	struct threshold_state *s = run->state;

	if (s->programs)
		for (size_t i = 0; i < run->recording->image_count; i++)
			served_free(s->programs[i].served);
	free(s->programs);
	threshold_tracks_free(s->tracks);
}

/* ---- options ---- */

enum { KEY_EXPLAIN = 0x1000, KEY_EACH };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const struct form_input *input = state->input;
	struct threshold_state *s = input->state;

	(void)arg;
	switch (key) {
	case KEY_EXPLAIN:
		s->explains = true;
		return 0;
	case KEY_EACH:
		s->each = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "explain", KEY_EXPLAIN, NULL, 0, "Say what each parameter of malloc did here", 0 },
	{ "each", KEY_EACH, NULL, 0, "A row for each requested size, not for ranges", 0 },
	{ 0 },
};

static const struct argp argp = { .options = options, .parser = parse };

const struct form form_threshold = {
	.name = "threshold",
	.summary = "heap or mapping: where malloc got memory, what free gave back",
	.needs = NEED_EVENTS | NEED_HEAP | NEED_SYMBOLS | NEED_ALL,
	.options = &argp,
	.doc = "By requested size: served from the heap, by growing it, or by a mapping of its own; "
	       "kept, trimmed or unmapped by free; and how the threshold between them moved.",
	.columns = columns,
	.column_count = COLS,
	.has_json_notes = true,
	.state_size = sizeof(struct threshold_state),
	.begin = threshold_begin,
	.watch = threshold_watch,
	.event = threshold_event,
	.end = threshold_end,
	.release = threshold_release,
};
