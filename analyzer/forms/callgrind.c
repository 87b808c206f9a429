/*
 * callgrind.c - the report `callgrind`: the heap by function, self and inclusive; as a
 * table, or as a file for KCachegrind (callgrind_file.c). callgraph.h does the sums;
 * here calls are timed, rows sorted and printed.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "base/xmem.h"
#include "forms/call_choice.h"
#include "forms/callgrind_report.h"
#include "forms/stack_text.h"

struct callgrind_state {
	enum alloc_kind kind;
	struct stacktimes times;
	const struct image *last;    /* image of the last event */
	const struct callgraph *sorting;
};

enum {
	COL_TEXT_INCLUSIVE, COL_TEXT_BYTES, COL_TEXT_BLOCKS, COL_TEXT_PEAK, COL_TEXT_END, COL_TEXT_TIME,
	COL_TEXT_FUNCTION,
	COL_FUNCTION, COL_FILE, COL_MODULE,
	/* in the order of enum cost_kind */
	COL_BLOCKS, COL_BYTES, COL_PEAK_BYTES, COL_END_BYTES, COL_TIME,
	COL_INCLUSIVE_BLOCKS, COL_INCLUSIVE_BYTES, COL_INCLUSIVE_PEAK_BYTES, COL_INCLUSIVE_END_BYTES,
	COL_INCLUSIVE_TIME,
	COL_PID, COL_EXEC, COL_COUNT,
};

#define MACHINE (SHOW_CSV | SHOW_JSON)

static const struct column columns[COL_COUNT] = {
	[COL_TEXT_INCLUSIVE] = { "inclusive_bytes", "inclusive", COLUMN_BYTES, SHOW_TEXT, false, NULL },
	[COL_TEXT_BYTES] = { "bytes", "self", COLUMN_BYTES, SHOW_TEXT, false, NULL },
	[COL_TEXT_BLOCKS] = { "blocks", "blocks", COLUMN_COUNT, SHOW_TEXT, false, NULL },
	[COL_TEXT_PEAK] = { "peak_bytes", "at peak", COLUMN_BYTES, SHOW_TEXT, false, NULL },
	[COL_TEXT_END] = { "end_bytes", "at end", COLUMN_BYTES, SHOW_TEXT, false, NULL },
	[COL_TEXT_TIME] = { "time_ns", "time", COLUMN_TEXT, SHOW_TEXT, false, NULL },
	[COL_TEXT_FUNCTION] = { "function", "function", COLUMN_TEXT, SHOW_TEXT, false, NULL },
	[COL_FUNCTION] = { "function", NULL, COLUMN_TEXT, MACHINE, true, "function, or object and address" },
	[COL_FILE] = { "file", NULL, COLUMN_TEXT, MACHINE, false, "its source file, empty where unknown" },
	[COL_MODULE] = { "module", NULL, COLUMN_TEXT, MACHINE, false, "the object that it is in" },
	[COL_BLOCKS] = { "blocks", NULL, COLUMN_COUNT, MACHINE, true, "blocks it acquired itself" },
	[COL_BYTES] = { "bytes", NULL, COLUMN_BYTES, MACHINE, true, "their requested bytes" },
	[COL_PEAK_BYTES] = { "peak_bytes", NULL, COLUMN_BYTES, MACHINE, true,
		"bytes of these live when the heap's live bytes were most" },
	[COL_END_BYTES] = { "end_bytes", NULL, COLUMN_BYTES, MACHINE, true, "bytes live at the end" },
	[COL_TIME] = { "time_ns", NULL, COLUMN_EXACT, MACHINE, true,
		"time in its own calls of the allocator; an estimate unless each was timed" },
	[COL_INCLUSIVE_BLOCKS] = { "inclusive_blocks", NULL, COLUMN_COUNT, MACHINE, true,
		"blocks acquired by it and by what it called" },
	[COL_INCLUSIVE_BYTES] = { "inclusive_bytes", NULL, COLUMN_BYTES, MACHINE, true,
		"their requested bytes" },
	[COL_INCLUSIVE_PEAK_BYTES] = { "inclusive_peak_bytes", NULL, COLUMN_BYTES, MACHINE, true,
		"bytes of these live at the peak" },
	[COL_INCLUSIVE_END_BYTES] = { "inclusive_end_bytes", NULL, COLUMN_BYTES, MACHINE, true,
		"bytes of these live at the end" },
	[COL_INCLUSIVE_TIME] = { "inclusive_time_ns", NULL, COLUMN_EXACT, MACHINE, true,
		"time in the allocator in it and in what it called" },
	[COL_PID] = { "pid", NULL, COLUMN_EXACT, MACHINE, false, "process" },
	[COL_EXEC] = { "exec", NULL, COLUMN_EXACT, MACHINE, false,
		"program of that process: 0 for the first, 1 after an exec, ..." },
};

static int callgrind_event(struct run *run, const struct event *event, const struct change *change)
{
	struct callgrind_state *s = run->state;

	if (!s->last || s->last->number != event->image)
		s->last = recording_image(run->recording, event->image);
	if (s->last && s->kind == KIND_HEAP)
		stacktimes_add(&s->times, s->last, event, change);
	return 0;
}

/* ---- rows ---- */

static uint64_t row_value(const struct graph_function *f, size_t column)
{
	if (column >= COL_INCLUSIVE_BLOCKS && column <= COL_INCLUSIVE_TIME)
		return f->inclusive.of[column - COL_INCLUSIVE_BLOCKS];
	if (column >= COL_BLOCKS && column <= COL_TIME)
		return f->self.of[column - COL_BLOCKS];
	return 0;
}

/* Functions stand in the order of their names: their numbers break ties. */
static int compare(const void *pa, const void *pb, void *ctx)
{
	uint32_t ia = *(const uint32_t *)pa, ib = *(const uint32_t *)pb;
	const struct run *run = ctx;
	const struct callgraph *g = ((const struct callgrind_state *)run->state)->sorting;
	const struct graph_function *a = &g->functions[ia], *b = &g->functions[ib];

	for (size_t i = 0; i < run->sort.count; i++) {
		const struct sort_key *key = &run->sort.keys[i];
		uint64_t va = row_value(a, key->column), vb = row_value(b, key->column);

		if (key->column == COL_FUNCTION && strcmp(a->name, b->name) != 0)
			return (strcmp(a->name, b->name) < 0) == key->is_ascending ? -1 : 1;
		if (va != vb)
			return (va < vb) == key->is_ascending ? -1 : 1;
	}
	if (a->inclusive.of[COST_BYTES] != b->inclusive.of[COST_BYTES])
		return a->inclusive.of[COST_BYTES] > b->inclusive.of[COST_BYTES] ? -1 : 1;
	return (ia > ib) - (ia < ib);
}

static uint32_t *sorted_rows(struct run *run, const struct callgraph *g)
{
	struct callgrind_state *s = run->state;
	uint32_t *rows = xcalloc(g->function_count + 1, sizeof(*rows));

	for (size_t i = 0; i < g->function_count; i++)
		rows[i] = (uint32_t)i;
	s->sorting = g;
	if (g->function_count > 1)
		qsort_r(rows, g->function_count, sizeof(*rows), compare, run);
	return rows;
}

/* "12.3 us", an estimate as "~12.3 us"; the caller's buffer. */
static const char *time_words(const struct callgrind_report *r, uint64_t ns, char *buffer)
{
	char text[UNITS_MAX];

	snprintf(buffer, UNITS_MAX, "%s%.40s", ns && callgrind_is_estimate(r) ? "~" : "",
		 units_ns(text, ns));
	return buffer;
}

/* Of C, costs of R: none of its calls was measured, if there were any. */
static bool is_time_known(const struct callgrind_report *r, const struct costs *c)
{
	return r->has_time && (c->of[COST_TIME] || !c->of[COST_BLOCKS] ||
			       !callgrind_is_estimate(r));
}

/* Columns before the function take so much in text. */
#define FIGURES_WIDTH 61

static void put_row(struct run *run, struct emit *table, const struct callgrind_report *r,
		    const struct graph_function *f)
{
	char time[UNITS_MAX];
	char *words = NULL;
	int left = run->width - FIGURES_WIDTH;
	struct cell cells[COL_COUNT] = {
		[COL_TEXT_INCLUSIVE] = cell_number(f->inclusive.of[COST_BYTES]),
		[COL_TEXT_BYTES] = cell_number(f->self.of[COST_BYTES]),
		[COL_TEXT_BLOCKS] = cell_number(f->self.of[COST_BLOCKS]),
		[COL_TEXT_PEAK] = cell_number(f->self.of[COST_PEAK]),
		[COL_TEXT_END] = cell_number(f->self.of[COST_END]),
		[COL_FUNCTION] = cell_text(f->name),
		[COL_FILE] = cell_text(f->file),
		[COL_MODULE] = cell_text(f->module),
		[COL_PID] = cell_number(r->image->pid),
		[COL_EXEC] = cell_number(r->image->exec_number),
	};

	for (size_t i = 0; i < COST_KINDS; i++) {
		if (i != COST_TIME || is_time_known(r, &f->self))
			cells[COL_BLOCKS + i] = cell_number(f->self.of[i]);
		if (i != COST_TIME || is_time_known(r, &f->inclusive))
			cells[COL_INCLUSIVE_BLOCKS + i] = cell_number(f->inclusive.of[i]);
	}
	if (run->format == EMIT_TEXT) {
		struct symbol_frame frame = f->frame ? *f->frame : (struct symbol_frame){ 0 };

		frame.line = 0;
		words = frame_text_fit(f->frame ? &frame : NULL, left > 24 ? (size_t)left : 24);
		cells[COL_TEXT_FUNCTION] = cell_text(words);
		if (is_time_known(r, &f->self))
			cells[COL_TEXT_TIME] = cell_text(time_words(r, f->self.of[COST_TIME], time));
	}
	emit_row(table, cells);
	free(words);
}

/* ---- the end ---- */

static void take_timing(struct callgrind_report *r, const struct heap *heap)
{
	r->is_sample = heap->sampling_bytes && r->kind == KIND_HEAP;
	for (size_t i = 0; i < FUNC_COUNT && r->kind == KIND_HEAP; i++) {
		const struct func_totals *f = &heap->funcs[i];
		bool is_release = i >= FUNC_FREE && i <= FUNC_CFREE;

		if (is_release && !(heap->image->features & FEATURE_FREE_STACKS))
			continue;
		r->timed_calls += f->timed_calls;
		r->all_calls += f->calls;
	}
	r->has_time = r->timed_calls > 0;
}

/* ALL: sums of all images shown. */
static void note_times(struct run *run, const struct callgrind_report *all, bool lacks_free)
{
	char timed[UNITS_MAX], calls[UNITS_MAX];

	if (all->kind == KIND_MAPPING)
		return;
	if (!all->has_time && all->all_calls)
		run_note(run, "no call was timed: record --timing=all times each");
	else if (!all->is_sample && all->timed_calls < all->all_calls)
		run_note(run, "times are an estimate: %s of %s calls were timed "
			 "(record --timing=all times each)", units_count(timed, all->timed_calls),
			 units_count(calls, all->all_calls));
	if (all->has_time && lacks_free)
		run_note(run, "the time of free is not in it: where it was called from was not "
			 "recorded (record --free-stacks)");
}

static void put_table(struct run *run, struct emit *table, const struct callgrind_report *r)
{
	uint32_t *rows = sorted_rows(run, r->graph);

	for (size_t i = 0; i < run_rows(run, r->graph->function_count); i++)
		put_row(run, table, r, &r->graph->functions[rows[i]]);
	free(rows);
}

static void put_text(struct run *run, const struct callgrind_report *r)
{
	const struct costs *total = &r->graph->total;
	char bytes[UNITS_MAX], blocks[UNITS_MAX], time[UNITS_MAX], shown[UNITS_MAX], all[UNITS_MAX];
	size_t count = r->graph->function_count;
	struct emit *table;

	fprintf(run->out, "%s in %s %s", units_bytes(bytes, total->of[COST_BYTES]),
		units_count(blocks, total->of[COST_BLOCKS]),
		r->kind == KIND_MAPPING ? "mappings" : "blocks");
	if (r->has_time)
		fprintf(run->out, ", %s in the allocator", time_words(r, total->of[COST_TIME], time));
	fputs("\n\n", run->out);
	table = run_table(run, columns, COL_COUNT);
	put_table(run, table, r);
	emit_free(table);
	if (run_rows(run, count) < count)
		fprintf(run->out, "\n%s of %s functions; --top=0 shows all\n",
			units_count(shown, run_rows(run, count)), units_count(all, count));
}

static int callgrind_end(struct run *run)
{
	struct callgrind_state *s = run->state;
	bool is_table = !run->own_format && run->format != EMIT_TEXT;
	struct emit *table;
	struct callgrind_report all = { .kind = s->kind };
	bool lacks_free = false;
	struct frame_tree *tree;

	if (run->own_format && run->heap_count > 1)
		return diag_set(run->diag, STATUS_USAGE, "a callgrind file holds one program: choose "
				"one of %zu by --pid=PID:EXEC", run->heap_count);
	if (call_choice_check_stacks(run) != 0)
		return -1;
	table = is_table ? run_table(run, columns, COL_COUNT) : NULL;
	tree = frame_tree_new(run->resolver, run->wrappers, run->stacks);
	for (size_t i = 0; i < run->heap_count; i++) {
		const struct heap *heap = run->heaps[i];
		struct callgraph *graph = callgraph_new(tree, heap, s->kind, &s->times,
							run->recording->ns_per_tick);
		struct callgrind_report report = {
			.image = heap->image,
			.graph = graph,
			.kind = s->kind,
		};

		take_timing(&report, heap);
		if (run->own_format) {
			callgrind_put_file(run, &report);
		} else if (is_table) {
			put_table(run, table, &report);
		} else {
			if (i > 0)
				putc('\n', run->out);
			run_put_image(run, heap->image);
			put_text(run, &report);
		}
		all.timed_calls += report.timed_calls;
		all.all_calls += report.all_calls;
		all.has_time |= report.has_time;
		all.is_sample |= report.is_sample;
		lacks_free |= heap->free_calls && !(heap->image->features & FEATURE_FREE_STACKS);
		callgraph_free(graph);
	}
	note_times(run, &all, lacks_free);
	if (table)
		emit_free(table);
	frame_tree_free(tree);
	return 0;
}

static void callgrind_release(struct run *run)
{
	stacktimes_release(&((struct callgrind_state *)run->state)->times);
}

enum { KEY_KIND = 0x400 };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const struct form_input *input = state->input;
	struct callgrind_state *s = input->state;

	if (key != KEY_KIND)
		return ARGP_ERR_UNKNOWN;
	if (strcmp(arg, "heap") == 0)
		s->kind = KIND_HEAP;
	else if (strcmp(arg, "mapping") == 0)
		s->kind = KIND_MAPPING;
	else
		form_usage_error(state, "--kind is heap or mapping, not '%s'", arg);
	return 0;
}

static const struct argp_option options[] = {
	{ "kind", KEY_KIND, "KIND", 0,
	  "heap: blocks of the allocator (default); mapping: memory the program mapped itself", 0 },
	{ 0 },
};

static const struct argp argp = { .options = options, .parser = parse };

static const struct form_format formats[] = {
	{ .name = "callgrind", .help = "for callgrind_annotate and KCachegrind" },
	{ 0 },
};

const struct form form_callgrind = {
	.name = "callgrind",
	.summary = "the heap by function, self and inclusive; a file for KCachegrind",
	.needs = NEED_EVENTS | NEED_HEAP | NEED_SYMBOLS | NEED_PEAK | NEED_REGIONS,
	.options = &argp,
	.doc = "What each function allocated itself (self: bytes, blocks, at the peak, at the end, "
	       "time in the allocator) and with what it called (inclusive). A call stack counts once "
	       "for each function in it, however often it calls itself.",
	.columns = columns,
	.column_count = COL_COUNT,
	.default_sort = "bytes",
	.default_top = 30,
	.formats = formats,
	.takes_at = true,
	.state_size = sizeof(struct callgrind_state),
	.event = callgrind_event,
	.end = callgrind_end,
	.release = callgrind_release,
};
