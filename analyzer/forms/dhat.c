/*
 * dhat.c - the report `dhat`: what valgrind's DHAT says of the heap, without accesses.
 * Feeds points.h while events are read, sorts, and leaves the words to dhat_text.c
 * and dhat_file.c; tables are made here.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"
#include "forms/call_choice.h"
#include "forms/dhat_report.h"
#include "forms/frame_tree.h"
#include "forms/stack_text.h"

struct dhat_state {
	enum points_unit unit;
	bool has_valgrind_max;
	bool has_depth;
	uint32_t depth;
	struct points **points;      /* of the images shown that had events */
	size_t count, capacity;
	struct points *last;         /* used by the last event */
	struct frame_tree *tree;
	struct dhat_report *sorting;
};

enum {
	COL_MAX_BYTES_LIVE, COL_TOT_BYTES_ALLOCD, COL_MAX_BLOCKS_LIVE, COL_TOT_BLOCKS_ALLOCD,
	COL_BLOCKS, COL_BYTES, COL_MAX_BLOCKS, COL_MAX_BYTES, COL_PEAK_BLOCKS, COL_PEAK_BYTES,
	COL_END_BLOCKS, COL_END_BYTES, COL_DEATHS, COL_DEATH_AGE, COL_LIFETIME, COL_FUNCTION,
	COL_FILE, COL_LINE, COL_STACK, COL_PID, COL_EXEC, COL_FRAMES, COL_COUNT,
};

#define MACHINE (SHOW_CSV | SHOW_JSON)

static const struct column columns[COL_COUNT] = {
	/* DHAT's words for --sort; text has lines of its own */
	[COL_MAX_BYTES_LIVE] = { "max-bytes-live", NULL, COLUMN_BYTES, SHOW_TEXT, true,
		"max_bytes in the words of DHAT, for --sort" },
	[COL_TOT_BYTES_ALLOCD] = { "tot-bytes-allocd", NULL, COLUMN_BYTES, SHOW_TEXT, true,
		"bytes in the words of DHAT, for --sort" },
	[COL_MAX_BLOCKS_LIVE] = { "max-blocks-live", NULL, COLUMN_COUNT, SHOW_TEXT, true,
		"max_blocks in the words of DHAT, for --sort" },
	[COL_TOT_BLOCKS_ALLOCD] = { "tot-blocks-allocd", NULL, COLUMN_COUNT, SHOW_TEXT, true,
		"blocks in the words of DHAT, for --sort" },
	[COL_BLOCKS] = { "blocks", NULL, COLUMN_COUNT, MACHINE, true,
		"blocks acquired in all; a realloc counts one more" },
	[COL_BYTES] = { "bytes", NULL, COLUMN_BYTES, MACHINE, true,
		"their bytes; a realloc counts its new size, a block of 0 bytes counts 1" },
	[COL_MAX_BLOCKS] = { "max_blocks", NULL, COLUMN_COUNT, MACHINE, true,
		"blocks live when this call stack's live bytes were most" },
	[COL_MAX_BYTES] = { "max_bytes", NULL, COLUMN_BYTES, MACHINE, true,
		"most live bytes of this call stack" },
	[COL_PEAK_BLOCKS] = { "peak_blocks", NULL, COLUMN_COUNT, MACHINE, true,
		"blocks live when the whole heap's live bytes were most" },
	[COL_PEAK_BYTES] = { "peak_bytes", NULL, COLUMN_BYTES, MACHINE, true,
		"bytes live at that moment" },
	[COL_END_BLOCKS] = { "end_blocks", NULL, COLUMN_COUNT, MACHINE, true, "blocks live at the end" },
	[COL_END_BYTES] = { "end_bytes", NULL, COLUMN_BYTES, MACHINE, true, "bytes live at the end" },
	[COL_DEATHS] = { "deaths", NULL, COLUMN_COUNT, MACHINE, true, "blocks freed" },
	[COL_DEATH_AGE] = { "death_age", NULL, COLUMN_REAL, MACHINE, true,
		"mean age of these when they were freed, in units of --time-unit" },
	[COL_LIFETIME] = { "lifetime", NULL, COLUMN_REAL, MACHINE, true,
		"lifetimes of all blocks, those alive at the end included, divided by blocks" },
	[COL_FUNCTION] = { "function", NULL, COLUMN_TEXT, MACHINE, false,
		"innermost function of the call stack" },
	[COL_FILE] = { "file", NULL, COLUMN_TEXT, MACHINE, false,
		"its source file, empty where unknown" },
	[COL_LINE] = { "line", NULL, COLUMN_EXACT, MACHINE, false, "its line, empty where unknown" },
	[COL_STACK] = { "stack", NULL, COLUMN_TEXT, MACHINE, false,
		"functions of the call stack, innermost first, separated by ';'" },
	[COL_PID] = { "pid", NULL, COLUMN_EXACT, MACHINE, false, "process" },
	[COL_EXEC] = { "exec", NULL, COLUMN_EXACT, MACHINE, false,
		"program of that process: 0 for the first, 1 after an exec, ..." },
	[COL_FRAMES] = { "frames", NULL, COLUMN_JSON, 0, false,
		"the call stack as {function, file, line, module}" },
};

/* ---- while events are read ---- */

static uint64_t start_of(const struct run *run, const struct image *image)
{
	return image->start_stamp > run->since_stamp ? image->start_stamp : run->since_stamp;
}

static struct points *points_of(struct run *run, const struct heap *heap)
{
	struct dhat_state *s = run->state;

	if (s->last && s->last->heap == heap)
		return s->last;
	for (size_t i = 0; i < s->count; i++)
		if (s->points[i]->heap == heap)
			return s->last = s->points[i];
	return NULL;
}

static struct points *points_add(struct run *run, const struct heap *heap,
				 const struct change *change)
{
	struct dhat_state *s = run->state;

	xgrow(&s->points, &s->capacity, s->count, sizeof(struct points *));
	s->last = points_new(run->replay, heap, change, s->unit, start_of(run, heap->image));
	return s->points[s->count++] = s->last;
}

static int dhat_event(struct run *run, const struct event *event, const struct change *change)
{
	for (const struct change *c = change; c; c = c->also) {
		struct points *p;

		/* what fell due with this event may be another image's */
		if (!c->heap || !run_shows(run, c->heap->image->number))
			continue;
		p = points_of(run, c->heap);
		if (!p)
			p = points_add(run, c->heap, c);
		points_step(p, c, event->r.stamp);
	}
	return 0;
}

/* ---- rows ---- */

uint64_t dhat_ns(const struct run *run, const struct dhat_report *report, points_sum sum)
{
	double ns = (double)sum;

	if (report->unit == POINTS_TICKS)
		ns *= run->recording->ns_per_tick;
	return ns < 18e18 ? (uint64_t)(ns + 0.5) : UINT64_MAX;
}

uint64_t dhat_units(const struct run *run, const struct dhat_report *report, points_sum sum)
{
	uint64_t value = dhat_ns(run, report, sum);

	return report->unit == POINTS_TICKS ? value / 1000 : value;
}

static double mean_units(const struct run *run, const struct dhat_report *report,
			 points_sum sum, uint64_t count)
{
	double v = (double)sum / (double)count;

	return report->unit == POINTS_TICKS ? v * run->recording->ns_per_tick / 1000 : v;
}

static double row_value(const struct dhat_report *report, const struct dhat_row *row, size_t column)
{
	const struct point *pt = row->point;

	switch (column) {
	case COL_TOT_BYTES_ALLOCD:
	case COL_BYTES:
		return (double)pt->total.bytes;
	case COL_TOT_BLOCKS_ALLOCD:
	case COL_BLOCKS:
		return (double)pt->total.blocks;
	case COL_MAX_BLOCKS_LIVE:
	case COL_MAX_BLOCKS:
		return (double)dhat_max(report, row).blocks;
	case COL_PEAK_BLOCKS:
		return (double)pt->peak.blocks;
	case COL_PEAK_BYTES:
		return (double)pt->peak.bytes;
	case COL_END_BLOCKS:
		return (double)pt->live.blocks;
	case COL_END_BYTES:
		return (double)pt->live.bytes;
	case COL_DEATHS:
		return (double)pt->deaths;
	case COL_DEATH_AGE:
		return pt->deaths ? (double)pt->death_ages / (double)pt->deaths : 0;
	case COL_LIFETIME:
		return pt->total.blocks ? (double)pt->lifetimes / (double)pt->total.blocks : 0;
	default:
		return (double)dhat_max(report, row).bytes;
	}
}

static int compare_figures(const struct dhat_row *a, const struct dhat_row *b, const struct run *run)
{
	const struct dhat_state *s = run->state;

	for (size_t i = 0; i < run->sort.count; i++) {
		const struct sort_key *key = &run->sort.keys[i];
		double va = row_value(s->sorting, a, key->column);
		double vb = row_value(s->sorting, b, key->column);

		if (va != vb)
			return (va < vb) == key->is_ascending ? -1 : 1;
	}
	if (a->point->total.bytes != b->point->total.bytes)
		return a->point->total.bytes > b->point->total.bytes ? -1 : 1;
	return 0;
}

/* Points in the order in which they were met break ties: that of their numbers. */
static int compare(const void *pa, const void *pb, void *ctx)
{
	const struct dhat_row *a = pa, *b = pb;
	int order = compare_figures(a, b, ctx);

	return order ? order : (a->point > b->point) - (a->point < b->point);
}

/* Names break ties. */
static int compare_names(const void *pa, const void *pb, void *ctx)
{
	const struct dhat_row *a = pa, *b = pb;
	struct run *run = ctx;
	struct dhat_state *s = run->state;
	int order = compare_figures(a, b, run);

	if (!order)
		order = frame_tree_compare(s->tree, frame_tree_stack(s->tree, a->stack),
					   frame_tree_stack(s->tree, b->stack));
	return order ? order : (a->point > b->point) - (a->point < b->point);
}

/*
 * Names only for what people and tables show: to compare a million call stacks takes
 * longer than to read the recording.
 */
static void rows_sort(struct run *run, struct dhat_report *report)
{
	struct dhat_state *s = run->state;
	size_t named = run->own_format ? 0 : run_rows(run, report->count);

	s->sorting = report;
	if (report->count < 2)
		return;
	qsort_r(report->rows, report->count, sizeof(*report->rows), compare, run);
	while (named && named < report->count &&
	       compare_figures(&report->rows[named - 1], &report->rows[named], run) == 0)
		named++;
	for (size_t i = 0; i < named; i++)
		frame_tree_stack(s->tree, report->rows[i].stack);
	frame_tree_rank(s->tree);
	if (named > 1)
		qsort_r(report->rows, named, sizeof(*report->rows), compare_names, run);
}

static void rows_make(struct run *run, struct dhat_report *report)
{
	const struct points *p = report->points;

	report->rows = xcalloc(p->count + 1, sizeof(*report->rows));
	for (size_t i = 0; i < p->count; i++) {
		const struct point *pt = &p->items[i];

		if (!pt->total.blocks && !pt->max.blocks && !pt->deaths)
			continue;
		report->rows[report->count++] = (struct dhat_row){ pt, p->heap->sites[i].stack };
	}
	rows_sort(run, report);
}

static void put_row(struct run *run, struct emit *table, const struct dhat_report *report,
		    const struct dhat_row *row)
{
	const struct dhat_state *s = run->state;
	const struct point *pt = row->point;
	frame_node node = frame_tree_stack(s->tree, row->stack);
	const struct symbol_frame *f = frame_tree_frame(s->tree, node);
	char *function = frame_function(f);
	char *stack = stack_folded(s->tree, node);
	struct cell cells[COL_COUNT] = {
		[COL_BLOCKS] = cell_number(pt->total.blocks),
		[COL_BYTES] = cell_number(pt->total.bytes),
		[COL_MAX_BLOCKS] = cell_number(dhat_max(report, row).blocks),
		[COL_MAX_BYTES] = cell_number(dhat_max(report, row).bytes),
		[COL_PEAK_BLOCKS] = cell_number(pt->peak.blocks),
		[COL_PEAK_BYTES] = cell_number(pt->peak.bytes),
		[COL_END_BLOCKS] = cell_number(pt->live.blocks),
		[COL_END_BYTES] = cell_number(pt->live.bytes),
		[COL_DEATHS] = cell_number(pt->deaths),
		[COL_FUNCTION] = cell_text(function),
		[COL_FILE] = cell_text(f ? f->file : NULL),
		[COL_STACK] = cell_text(stack),
		[COL_PID] = cell_number(report->image->pid),
		[COL_EXEC] = cell_number(report->image->exec_number),
	};

	if (pt->deaths)
		cells[COL_DEATH_AGE] = cell_real(mean_units(run, report, pt->death_ages, pt->deaths));
	if (pt->total.blocks)
		cells[COL_LIFETIME] = cell_real(mean_units(run, report, pt->lifetimes,
							   pt->total.blocks));
	if (f && f->line > 0)
		cells[COL_LINE] = cell_number((uint64_t)f->line);
	if (run->format == EMIT_JSON)
		cells[COL_FRAMES] = cell_json(stack_json(s->tree, node));
	emit_row(table, cells);
	free(function);
	free(stack);
}

/* ---- the end ---- */

static struct dhat_report report_make(struct run *run, const struct heap *shown)
{
	struct dhat_state *s = run->state;
	/* of a window `shown` is a copy with the window's figures */
	const struct heap *heap = replay_image_heap(run->replay, shown->image->number);
	struct points *p = points_of(run, heap);
	struct dhat_report report = {
		.image = heap->image,
		.unit = s->unit,
		.depth = s->has_depth ? s->depth : DHAT_FRAMES,
		.has_valgrind_max = s->has_valgrind_max,
		.sort_word = columns[run->sort.keys[0].column].key,
	};
	uint64_t end = heap->image->end_stamp;

	if (!p)
		p = points_add(run, heap, NULL);
	report.points = p;
	points_end(p, end < run->until_stamp ? end : run->until_stamp);
	rows_make(run, &report);
	if (p->zero_blocks)
		run_note(run, "%llu blocks of 0 bytes count as 1 byte each, as in valgrind's DHAT",
			 (unsigned long long)p->zero_blocks);
	return report;
}

static int dhat_end(struct run *run)
{
	struct dhat_state *s = run->state;
	bool is_table = !run->own_format && run->format != EMIT_TEXT;
	struct emit *table = NULL;

	if (run->own_format && run->heap_count > 1)
		return diag_set(run->diag, STATUS_USAGE, "a file for dh_view holds one program: "
				"choose one of %zu by --pid=PID:EXEC", run->heap_count);
	if (call_choice_check_stacks(run) != 0)
		return -1;
	s->tree = frame_tree_new(run->resolver, run->wrappers, run->stacks);
	if (is_table)
		table = run_table(run, columns, COL_COUNT);
	for (size_t i = 0; i < run->heap_count; i++) {
		struct dhat_report report = report_make(run, run->heaps[i]);

		for (size_t k = 0; is_table && k < run_rows(run, report.count); k++)
			put_row(run, table, &report, &report.rows[k]);
		if (!is_table && !run->own_format) {
			if (i > 0)
				putc('\n', run->out);
			run_put_image(run, report.image);
			dhat_put_text(run, &report);
		}
		if (run->own_format)
			dhat_put_file(run, &report);
		free(report.rows);
	}
	if (table)
		emit_free(table);
	return 0;
}

static void dhat_release(struct run *run)
{
	struct dhat_state *s = run->state;

	for (size_t i = 0; i < s->count; i++)
		points_free(s->points[i]);
	free(s->points);
	frame_tree_free(s->tree);
}

/* ---- options ---- */

enum { KEY_TIME_UNIT = 0x400, KEY_VALGRIND_MAX };

static enum points_unit parse_unit(const struct argp_state *state, const char *word)
{
	if (strcmp(word, "us") == 0)
		return POINTS_TICKS;
	if (strcmp(word, "B") == 0)
		return POINTS_BYTES;
	if (strcmp(word, "calls") == 0)
		return POINTS_CALLS;
	form_usage_error(state, "--time-unit is us, B or calls, not '%s'", word);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const struct form_input *input = state->input;
	struct dhat_state *s = input->state;

	switch (key) {
	case 'd':
		s->depth = form_depth(state, arg);
		s->has_depth = true;
		return 0;
	case KEY_TIME_UNIT:
		s->unit = parse_unit(state, arg);
		return 0;
	case KEY_VALGRIND_MAX:
		s->has_valgrind_max = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "depth", 'd', "N", 0, "Show the N innermost frames of a call stack in text (12); 0: all", 0 },
	{ "time-unit", KEY_TIME_UNIT, "UNIT", 0,
	  "Count ages in us (microseconds, default), B (bytes allocated and freed) or calls", 0 },
	{ "valgrind-max", KEY_VALGRIND_MAX, NULL, 0,
	  "A call stack's maximum as valgrind 3.15 and later have it: looked at only while the whole "
	  "heap is at its maximum", 0 },
	{ 0 },
};

static const struct argp argp = { .options = options, .parser = parse };

static const struct form_format formats[] = {
	{ .name = "dhat", .help = "for dh_view.html (dhatFileVersion 2)" },
	{ 0 },
};

const struct form form_dhat = {
	.name = "dhat",
	.summary = "by call stack: maximum, totals, deaths and ages, as valgrind's DHAT",
	.needs = NEED_EVENTS | NEED_HEAP | NEED_SYMBOLS,
	.options = &argp,
	.doc = "What valgrind's DHAT says of the heap, but for accesses, which are not recorded. "
	       "A realloc is charged to the call stack that allocated the block first. --sort by "
	       "max-bytes-live (default), tot-bytes-allocd, max-blocks-live, tot-blocks-allocd.",
	.columns = columns,
	.column_count = COL_COUNT,
	.default_sort = "max-bytes-live",
	.default_top = 10,
	.formats = formats,
	.takes_at = true,
	.state_size = sizeof(struct dhat_state),
	.event = dhat_event,
	.end = dhat_end,
	.release = dhat_release,
};
