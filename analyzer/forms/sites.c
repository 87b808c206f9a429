/*
 * sites.c - the report `sites`: what each call stack allocated, in all, at the
 * peak and at the end. Prints the rows of site_rows; promises that the columns of
 * CSV begin with kind,blocks,bytes,... as scripts expect.
 */
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "base/xmem.h"
#include "forms/form.h"
#include "forms/maps_moment.h"
#include "forms/maps_owners.h"
#include "forms/site_lives.h"
#include "forms/site_rows.h"
#include "forms/stack_lines.h"
#include "forms/stack_table.h"
#include "forms/touched.h"
#include "forms/touched_freed.h"
#include "model/freed_pages.h"

struct sites_state {
	uint32_t depth;
	bool has_depth, has_lives;
	bool is_touched, is_freed;         /* --touched=MOMENT, --touched=freed */
	const char *moment;                /* of --touched */
	struct frame_tree *tree;
	struct map_snapshots *snapshots;   /* --touched */
	const struct map_snapshot *at;
	struct site_lives lives;
	struct freed_pages freed;
};

enum {
	COL_KIND, COL_TEXT_PEAK, COL_TEXT_PEAK_BLOCKS, COL_TEXT_TOTAL,
	COL_TEXT_TOTAL_BLOCKS, COL_TEXT_END, COL_TEXT_END_BLOCKS,
	COL_BLOCKS, COL_BYTES, COL_PEAK_BLOCKS, COL_PEAK_BYTES, COL_END_BLOCKS, COL_END_BYTES, COL_FUNCTION,
	COL_FILE, COL_LINE, COL_STACK, COL_TEMPORARY_BLOCKS, COL_TEMPORARY_BYTES,
	COL_PID, COL_EXEC, COL_FRAMES,
	/* with --lifetimes only */
	COL_FREED_BLOCKS, COL_LIFE_MIN, COL_LIFE_MEDIAN, COL_LIFE_P99, COL_LIFE_MAX, COL_COUNT,
};

#define MACHINE (SHOW_CSV | SHOW_JSON)

static const struct column columns[COL_COUNT] = {
	[COL_KIND] = { "kind", "kind", COLUMN_TEXT, 0, false,
		"heap: a block of the allocator; mapping: memory the program mapped itself" },
	/* people read the peak first; programs get the order that is promised to them */
	[COL_TEXT_PEAK] = { "peak_bytes", "at peak", COLUMN_BYTES, SHOW_TEXT, false, NULL },
	[COL_TEXT_PEAK_BLOCKS] = { "peak_blocks", "blocks", COLUMN_COUNT, SHOW_TEXT, false, NULL },
	[COL_TEXT_TOTAL] = { "bytes", "in all", COLUMN_BYTES, SHOW_TEXT, false, NULL },
	[COL_TEXT_TOTAL_BLOCKS] = { "blocks", "blocks", COLUMN_COUNT, SHOW_TEXT, false, NULL },
	[COL_TEXT_END] = { "end_bytes", "at end", COLUMN_BYTES, SHOW_TEXT, false, NULL },
	[COL_TEXT_END_BLOCKS] = { "end_blocks", "blocks", COLUMN_COUNT, SHOW_TEXT, false, NULL },
	[COL_BLOCKS] = { "blocks", NULL, COLUMN_COUNT, MACHINE, true,
		"blocks acquired in all" },
	[COL_BYTES] = { "bytes", NULL, COLUMN_BYTES, MACHINE, true,
		"requested bytes of these blocks" },
	[COL_PEAK_BLOCKS] = { "peak_blocks", NULL, COLUMN_COUNT, MACHINE, true,
		"blocks live when the live bytes of their kind were most" },
	[COL_PEAK_BYTES] = { "peak_bytes", NULL, COLUMN_BYTES, MACHINE, true,
		"bytes live at that moment" },
	[COL_END_BLOCKS] = { "end_blocks", NULL, COLUMN_COUNT, MACHINE, true,
		"blocks live at the end" },
	[COL_END_BYTES] = { "end_bytes", NULL, COLUMN_BYTES, MACHINE, true,
		"bytes live at the end" },
	STACK_COLUMNS(COL_FUNCTION),
	[COL_TEMPORARY_BLOCKS] = { "temporary_blocks", NULL, COLUMN_COUNT, MACHINE, true,
		"blocks released before the thread's next acquire" },
	[COL_TEMPORARY_BYTES] = { "temporary_bytes", NULL, COLUMN_BYTES, MACHINE, true,
		"their bytes" },
	PROCESS_COLUMNS(COL_PID),
	[COL_FREED_BLOCKS] = { "freed_blocks", NULL, COLUMN_COUNT, MACHINE, true,
		"blocks released (free, realloc): those whose lifetimes are known" },
	[COL_LIFE_MIN] = { "lifetime_min_ns", NULL, COLUMN_NS, MACHINE, true,
		"shortest life of a released block" },
	[COL_LIFE_MEDIAN] = { "lifetime_median_ns", NULL, COLUMN_NS, MACHINE, true,
		"half of them lived no longer; within 1.6 %" },
	[COL_LIFE_P99] = { "lifetime_p99_ns", NULL, COLUMN_NS, MACHINE, true,
		"99 of 100 lived no longer; within 1.6 %" },
	[COL_LIFE_MAX] = { "lifetime_max_ns", NULL, COLUMN_NS, MACHINE, true, "longest" },
};

/* Text with --lifetimes: a table of its own, as one line has no room for both. */
enum {
	LIFE_KIND, LIFE_BYTES, LIFE_BLOCKS, LIFE_FREED, LIFE_MIN, LIFE_MEDIAN, LIFE_P99, LIFE_MAX, LIFE_COUNT,
};

static const struct column life_columns[LIFE_COUNT] = {
	[LIFE_KIND] = { "kind", "kind", COLUMN_TEXT, 0, false, NULL },
	[LIFE_BYTES] = { "bytes", "in all", COLUMN_BYTES, 0, false, NULL },
	[LIFE_BLOCKS] = { "blocks", "blocks", COLUMN_COUNT, 0, false, NULL },
	[LIFE_FREED] = { "freed_blocks", "freed", COLUMN_COUNT, 0, false, NULL },
	[LIFE_MIN] = { "lifetime_min_ns", "lived min", COLUMN_NS, 0, false, NULL },
	[LIFE_MEDIAN] = { "lifetime_median_ns", "median", COLUMN_NS, 0, false, NULL },
	[LIFE_P99] = { "lifetime_p99_ns", "p99", COLUMN_NS, 0, false, NULL },
	[LIFE_MAX] = { "lifetime_max_ns", "max", COLUMN_NS, 0, false, NULL },
};

static uint64_t row_value(const struct site_row *row, size_t column)
{
	switch (column) {
	case COL_BLOCKS:
		return row->total.blocks;
	case COL_BYTES:
		return row->total.bytes;
	case COL_PEAK_BLOCKS:
		return row->peak.blocks;
	case COL_END_BLOCKS:
		return row->end.blocks;
	case COL_END_BYTES:
		return row->end.bytes;
	case COL_TEMPORARY_BLOCKS:
		return row->temporary.blocks;
	case COL_TEMPORARY_BYTES:
		return row->temporary.bytes;
	case COL_FREED_BLOCKS:
		return row->life.blocks;
	case COL_LIFE_MIN:
		return row->life.min;
	case COL_LIFE_MEDIAN:
		return row->life.median;
	case COL_LIFE_P99:
		return row->life.p99;
	case COL_LIFE_MAX:
		return row->life.max;
	default:
		return row->peak.bytes;
	}
}

/* Ticks to nanoseconds, where there was a block at all. */
static struct cell life_cell(const struct run *run, const struct site_row *row, uint64_t ticks)
{
	if (row->life.blocks == 0)
		return (struct cell){ 0 };
	return cell_number(units_whole((double)ticks * run->recording->ns_per_tick));
}

static void fill_life_row(const struct run *run, const struct site_row *row, struct cell *cells)
{
	cells[LIFE_KIND] = cell_text(row->kind == KIND_MAPPING ? "mapping" : "heap");
	cells[LIFE_BYTES] = cell_number(row->total.bytes);
	cells[LIFE_BLOCKS] = cell_number(row->total.blocks);
	cells[LIFE_FREED] = cell_number(row->life.blocks);
	cells[LIFE_MIN] = life_cell(run, row, row->life.min);
	cells[LIFE_MEDIAN] = life_cell(run, row, row->life.median);
	cells[LIFE_P99] = life_cell(run, row, row->life.p99);
	cells[LIFE_MAX] = life_cell(run, row, row->life.max);
}

static void fill_row(const struct run *run, const struct site_row *row, struct cell *cells)
{
	cells[COL_KIND] = cell_text(row->kind == KIND_MAPPING ? "mapping" : "heap");
	cells[COL_TEXT_PEAK] = cells[COL_PEAK_BYTES] = cell_number(row->peak.bytes);
	cells[COL_TEXT_PEAK_BLOCKS] = cells[COL_PEAK_BLOCKS] = cell_number(row->peak.blocks);
	cells[COL_TEXT_TOTAL] = cells[COL_BYTES] = cell_number(row->total.bytes);
	cells[COL_TEXT_TOTAL_BLOCKS] = cells[COL_BLOCKS] = cell_number(row->total.blocks);
	cells[COL_TEXT_END] = cells[COL_END_BYTES] = cell_number(row->end.bytes);
	cells[COL_TEXT_END_BLOCKS] = cells[COL_END_BLOCKS] = cell_number(row->end.blocks);
	if (!recording_sampling(run->recording)) {
		cells[COL_TEMPORARY_BLOCKS] = cell_number(row->temporary.blocks);
		cells[COL_TEMPORARY_BYTES] = cell_number(row->temporary.bytes);
	}
	cells[COL_FREED_BLOCKS] = cell_number(row->life.blocks);
	cells[COL_LIFE_MIN] = life_cell(run, row, row->life.min);
	cells[COL_LIFE_MEDIAN] = life_cell(run, row, row->life.median);
	cells[COL_LIFE_P99] = life_cell(run, row, row->life.p99);
	cells[COL_LIFE_MAX] = life_cell(run, row, row->life.max);
}

static void put_rows(struct run *run, struct site_rows *rows)
{
	const struct sites_state *s = run->state;
	bool is_life = s->has_lives && run->format == EMIT_TEXT;
	const struct stack_table table = {
		.columns = is_life ? life_columns : columns,
		.count = is_life ? (size_t)LIFE_COUNT : s->has_lives ? COL_COUNT : COL_FREED_BLOCKS,
		.function = COL_FUNCTION,
		.pid = COL_PID,
		.value = row_value,
		.fill = is_life ? fill_life_row : fill_row,
	};

	stack_table_put(run, &table, s->tree, rows, s->has_depth);
}

static int sites_begin(struct run *run)
{
	struct sites_state *s = run->state;

	if (s->is_freed && !touched_freed_is_recorded(run))
		return -1;

	for (size_t i = 0; i < run->sort.count; i++)
		s->has_lives |= run->sort.keys[i].column >= COL_FREED_BLOCKS;
	return 0;
}

static void sites_watch(struct run *run, const struct event *event, const struct change *change)
{
	struct sites_state *s = run->state;

	if (s->has_lives && event->r.stamp >= run->since_stamp)
		site_lives_note(&s->lives, change, event->r.stamp);
}

static int sites_event(struct run *run, const struct event *event, const struct change *change)
{
	struct sites_state *s = run->state;

	if (s->is_freed)
		freed_pages_add(&s->freed, event, change);
	return 0;
}

/* --touched: the figures are those of the moment with the most resident memory. */
static int sites_settle(struct run *run)
{
	struct sites_state *s = run->state;

	if (!s->is_touched)
		return 0;
	s->snapshots = map_snapshots_new(run->recording);
	s->at = maps_moment_find(run, s->snapshots, s->moment);
	if (!s->at)
		return -1;
	run->has_at = true;
	run->at_stamp = s->at->stamp;
	return 0;
}

static void put_touched(struct run *run)
{
	struct sites_state *s = run->state;
	struct heap *heap = replay_image_heap(run->replay, s->at->image);
	struct address_space *a = address_space_new(s->at->smaps, s->snapshots, s->at->pid);
	int64_t ns = recording_ns(run->recording, s->at->stamp);
	char time[UNITS_MAX];
	struct owners *o;

	s->tree = frame_tree_new(run->resolver, run->wrappers, run->stacks);
	if (run->format == EMIT_TEXT && heap) {
		run_put_image(run, heap->image);
		fprintf(run->out, "live after %s (%s):\n\n",
			units_ns(time, ns > 0 ? (uint64_t)ns : 0), s->moment);
	}
	if (heap) {
		o = owners_new(a, run->replay, heap, s->at, s->tree);
		touched_put(run, s->tree, o, s->at->has_pages);
		owners_free(o);
	}
	address_space_free(a);
}

static unsigned sites_needs_more(const void *state)
{
	const struct sites_state *s = state;

	return s->is_touched ? NEED_BLOCKS | NEED_EVENTS : s->is_freed ? NEED_EVENTS : 0;
}

static int sites_end(struct run *run)
{
	struct sites_state *s = run->state;
	struct site_rows *all = xcalloc(1, sizeof(*all));
	size_t row_count = 0;

	if (s->is_touched) {
		free(all);
		put_touched(run);
		return 0;
	}
	s->tree = frame_tree_new(run->resolver, run->wrappers, run->stacks);
	if (s->is_freed) {
		free(all);
		/* a line has no room for a call stack: text has the sites unless asked */
		touched_freed_put(run, s->tree, &s->freed,
				  run->format == EMIT_TEXT && !s->has_depth ? 1 : s->depth);
		return 0;
	}
	for (size_t i = 0; i < run->heap_count; i++) {
		struct site_rows *rows = s->has_lives ?
			site_rows_released(s->tree, run->heaps[i], s->depth) :
			site_rows_new(s->tree, run->heaps[i], s->depth);

		if (s->has_lives)
			site_rows_add_lives(rows, s->tree, run->heaps[i], s->depth,
				site_lives_of(&s->lives, replay_image_heap(run->replay,
								run->heaps[i]->image->number)));
		row_count += rows->count;
		if (run->format == EMIT_TEXT) {
			if (i > 0)
				putc('\n', run->out);
			run_put_image(run, run->heaps[i]->image);
			put_rows(run, rows);
			stack_lines_put_rest(run, rows, columns, row_value);
		} else {
			site_rows_append(all, rows);
		}
		site_rows_free(rows);
	}
	if (run->format != EMIT_TEXT)
		put_rows(run, all);
	site_rows_free(all);
	if (s->has_lives && run->format == EMIT_TEXT)
		run_note(run, "lifetimes are those of blocks that were released; min and max are exact, "
			 "median and p99 within 1.6 %%");
	if (run->has_window && row_count == 0)
		run_note(run, "nothing happened in this window: nothing was allocated or live");
	return 0;
}

static void sites_release(struct run *run)
{
	struct sites_state *s = run->state;

	frame_tree_free(s->tree);
	map_snapshots_free(s->snapshots);
	site_lives_release(&s->lives);
	freed_pages_release(&s->freed);
}

enum { KEY_LIFETIMES = 0x200, KEY_TOUCHED };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const struct form_input *input = state->input;
	struct sites_state *s = input->state;

	if (key == KEY_LIFETIMES) {
		s->has_lives = true;
		return 0;
	}
	if (key == KEY_TOUCHED) {
		s->is_freed = arg && strcmp(arg, "freed") == 0;
		s->is_touched = !s->is_freed;
		s->moment = arg ? arg : "peak";
		return 0;
	}
	if (key == ARGP_KEY_END && (s->is_touched || s->is_freed) && s->has_lives)
		form_usage_error(state, "--touched and --lifetimes are tables of their own: choose");
	if (key != 'd')
		return ARGP_ERR_UNKNOWN;
	s->depth = form_depth(state, arg);
	s->has_depth = true;
	return 0;
}

static const struct argp_option options[] = {
	STACK_DEPTH_OPTION,
	{ "lifetimes", KEY_LIFETIMES, NULL, 0,
	  "How long the released blocks lived: shortest, median, 99th percentile, longest", 0 },
	{ "touched", KEY_TOUCHED, "MOMENT", OPTION_ARG_OPTIONAL,
	  "What was live at MOMENT (as for maps --at; when the most memory was resident): asked for, "
	  "resident, never touched; MOMENT freed: the same of blocks of 64 KiB and more as they were "
	  "freed", 0 },
	{ 0 },
};

static const struct argp argp = { .options = options, .parser = parse };

const struct form form_sites = {
	.name = "sites",
	.summary = "who allocated: blocks and bytes by call stack, in all, at peak, end",
	.needs = NEED_HEAP | NEED_SYMBOLS | NEED_PEAK | NEED_REGIONS | NEED_ALL,
	.options = &argp,
	.doc = "Blocks and bytes of each call stack. The first frame is the allocation site: "
	       "wrappers of the allocator are left out (--wrappers).",
	.columns = columns,
	.column_count = COL_COUNT,
	.default_sort = "peak_bytes",
	.default_top = 20,
	.state_size = sizeof(struct sites_state),
	.needs_more = sites_needs_more,
	.settle = sites_settle,
	.begin = sites_begin,
	.event = sites_event,
	.watch = sites_watch,
	.end = sites_end,
	.release = sites_release,
};
