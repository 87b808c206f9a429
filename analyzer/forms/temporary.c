/*
 * temporary.c - the report `temporary`: blocks that were hardly used, by call stack: freed
 * before their thread allocated again, or with --age within so long of their allocation. And how
 * old blocks are when they are freed, as a histogram. A realloc is no free here: a block
 * that grows is not thrown away. Relies on events for ages, and on site.temporary else.
 */
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "base/wrap.h"
#include "base/xmem.h"
#include "forms/form.h"
#include "forms/freed_ages.h"
#include "forms/stack_lines.h"
#include "forms/stack_table.h"
#include "forms/stack_text.h"

/* What was freed of the blocks of one heap. */
struct ages {
	const struct heap *heap;
	struct freed_ages freed;
	struct amount *young;       /* --age: by site */
	size_t young_count;
};

struct temporary_state {
	uint32_t depth;
	bool has_depth, has_age, shows_ages;
	uint64_t age_ns;
	struct frame_tree *tree;
	struct ages *ages;
	size_t count, capacity;
};

enum {
	COL_TEXT_SHARE, COL_BLOCKS, COL_TEXT_BYTES, COL_TEXT_ALL, COL_BYTES, COL_FUNCTION, COL_FILE, COL_LINE,
	COL_STACK, COL_ALL_BLOCKS, COL_ALL_BYTES, COL_PID, COL_EXEC, COL_FRAMES, COL_COUNT,
};

#define MACHINE (SHOW_CSV | SHOW_JSON)

static const struct column columns[COL_COUNT] = {
	[COL_TEXT_SHARE] = { "share", "%", COLUMN_PERCENT, SHOW_TEXT, false, NULL },
	[COL_BLOCKS] = { "blocks", "temporary", COLUMN_COUNT, 0, true,
		"blocks freed before the thread's next allocation (--age: within that time)" },
	[COL_TEXT_BYTES] = { "bytes", "bytes", COLUMN_BYTES, SHOW_TEXT, false, NULL },
	[COL_TEXT_ALL] = { "all_blocks", "of blocks", COLUMN_COUNT, SHOW_TEXT, false, NULL },
	[COL_BYTES] = { "bytes", NULL, COLUMN_BYTES, MACHINE, true, "their requested bytes" },
	STACK_COLUMNS(COL_FUNCTION),
	[COL_ALL_BLOCKS] = { "all_blocks", NULL, COLUMN_COUNT, MACHINE, true,
		"blocks acquired in all with this call stack" },
	[COL_ALL_BYTES] = { "all_bytes", NULL, COLUMN_BYTES, MACHINE, true, "their bytes" },
	PROCESS_COLUMNS(COL_PID),
};

static uint64_t row_value(const struct site_row *row, size_t column)
{
	switch (column) {
	case COL_BYTES:
		return row->temporary.bytes;
	case COL_ALL_BLOCKS:
		return row->total.blocks;
	case COL_ALL_BYTES:
		return row->total.bytes;
	default:
		return row->temporary.blocks;
	}
}

static void add(struct amount *to, struct amount from)
{
	to->blocks += from.blocks;
	to->bytes += from.bytes;
}

/* ---- ages ---- */

static struct ages *ages_of(struct temporary_state *s, const struct heap *heap)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->ages[i].heap == heap)
			return &s->ages[i];
	xgrow(&s->ages, &s->capacity, s->count, sizeof(*s->ages));
	s->ages[s->count] = (struct ages){ .heap = heap };
	return &s->ages[s->count++];
}

static void add_young(struct ages *a, site_id site, struct amount weight)
{
	if (site >= a->young_count) {
		size_t count = (size_t)site * 2 + 64;

		a->young = xreallocarray(a->young, count, sizeof(*a->young));
		memset(a->young + a->young_count, 0, (count - a->young_count) * sizeof(*a->young));
		a->young_count = count;
	}
	add(&a->young[site], weight);
}

static int temporary_event(struct run *run, const struct event *event, const struct change *change)
{
	struct temporary_state *s = run->state;

	for (const struct change *c = change; c; c = c->also) {
		uint64_t born = c->old.birth_stamp, ns;
		struct amount weight;
		struct ages *a;

		if (!c->released || c->acquired || c->kind != KIND_HEAP)
			continue;
		ns = event->r.stamp < born ? 0 :
		     units_whole((double)(event->r.stamp - born) * run->recording->ns_per_tick);
		weight = replay_weight(c->heap, &c->old);
		a = ages_of(s, c->heap);
		freed_ages_add(&a->freed, ns, weight);
		if (s->has_age && ns <= s->age_ns)
			add_young(a, c->old.site, weight);
	}
	return 0;
}

/* ---- rows ---- */

static struct site_rows *make_rows(struct run *run, const struct heap *heap, const struct ages *ages)
{
	struct temporary_state *s = run->state;
	struct heap view = *heap;
	struct site_rows *rows;
	size_t kept = 0;

	view.sites = xcalloc(heap->site_count + 1, sizeof(*view.sites));
	for (size_t i = 0; i < heap->site_count; i++) {
		const struct site *site = &heap->sites[i];

		view.sites[i] = (struct site){ .stack = site->stack, .kind = site->kind };
		if (site->kind != KIND_HEAP)
			continue;
		view.sites[i].total = site->total;
		if (!s->has_age)
			view.sites[i].temporary = site->temporary;
		else if (i < ages->young_count)
			view.sites[i].temporary = ages->young[i];
		/* freed in a window and acquired before it: a row all the same */
		view.sites[i].freed = view.sites[i].temporary;
	}
	rows = site_rows_released(s->tree, &view, s->depth);
	for (size_t i = 0; i < rows->count; i++)
		if (rows->rows[i].temporary.blocks > 0)
			rows->rows[kept++] = rows->rows[i];
	rows->count = kept;
	free(view.sites);
	return rows;
}

static void fill_row(const struct run *run, const struct site_row *row, struct cell *cells)
{
	(void)run;
	cells[COL_BLOCKS] = cell_number(row->temporary.blocks);
	cells[COL_TEXT_BYTES] = cells[COL_BYTES] = cell_number(row->temporary.bytes);
	cells[COL_TEXT_ALL] = cells[COL_ALL_BLOCKS] = cell_number(row->total.blocks);
	cells[COL_ALL_BYTES] = cell_number(row->total.bytes);
	/* in a window blocks may be freed that were acquired before it */
	if (row->total.blocks >= row->temporary.blocks)
		cells[COL_TEXT_SHARE] = cell_real(100.0 * (double)row->temporary.blocks /
						  (double)row->total.blocks);
}

static const struct stack_table by_stack = {
	columns, COL_COUNT, COL_FUNCTION, COL_PID, row_value, fill_row,
};

static void put_rows(struct run *run, struct site_rows *rows)
{
	const struct temporary_state *s = run->state;

	stack_table_put(run, &by_stack, s->tree, rows, s->has_depth);
}

/* ---- text ---- */

/* What is meant, and how much it is of all blocks. */
static void put_title(struct run *run, const struct heap *heap, const struct site_rows *rows)
{
	const struct temporary_state *s = run->state;
	char count[UNITS_MAX], all[UNITS_MAX], share[UNITS_MAX], bytes[UNITS_MAX], age[UNITS_MAX];
	struct amount sum = { 0, 0 };
	char *how, *text;

	for (size_t i = 0; i < rows->count; i++)
		add(&sum, rows->rows[i].temporary);
	how = s->has_age ? xasprintf("within %s of their allocation", units_ns(age, s->age_ns)) :
	      xstrdup("before their thread allocated again");
	text = xasprintf("%s of %s blocks (%s), %s in all, were freed %s.", units_count(count, sum.blocks),
			 units_count(all, heap->total.blocks),
			 units_percent(share, sum.blocks < heap->total.blocks ? sum.blocks :
				       heap->total.blocks, heap->total.blocks),
			 units_bytes(bytes, sum.bytes), how);
	wrap_put(run->out, text, 0, 0, run->width);
	free(how);
	free(text);
}

static void put_remedy(struct run *run, const struct site_rows *rows)
{
	const struct temporary_state *s = run->state;
	const struct symbol_frame *f;
	char *function, *text;

	if (rows->count == 0)
		return;
	f = frame_tree_frame(s->tree, rows->rows[0].node);
	function = frame_text_fit(f, 50);
	text = xasprintf("remedy: keep one buffer and use it again, or put it on the stack; clear a "
			 "container instead of making a new one; first in %s", function);
	putc('\n', run->out);
	wrap_put(run->out, text, 0, 8, run->width);
	free(function);
	free(text);
}

static void put_text(struct run *run, const struct heap *heap, const struct ages *ages)
{
	const struct temporary_state *s = run->state;
	struct site_rows *rows;

	run_put_image(run, heap->image);
	if (s->shows_ages) {
		freed_ages_put(run, &ages->freed);
		return;
	}
	rows = make_rows(run, heap, ages);
	put_title(run, heap, rows);
	if (rows->count > 0) {
		putc('\n', run->out);
		put_rows(run, rows);
		stack_lines_put_rest(run, rows, columns, row_value);
	}
	if (ages->freed.sum.blocks > 0) {
		putc('\n', run->out);
		freed_ages_put(run, &ages->freed);
	}
	put_remedy(run, rows);
	site_rows_free(rows);
}

/* ---- the form ---- */

static int temporary_begin(struct run *run)
{
	const struct temporary_state *s = run->state;

	if (recording_sampling(run->recording) && !s->has_age && !s->shows_ages)
		return diag_set(run->diag, STATUS_USAGE,
				"which blocks are temporary is not known: with 'record --sample' what came "
				"between was not recorded; --age=1ms (an estimate) or 'record' without it");
	return 0;
}

static const struct ages *heap_ages(struct run *run, const struct heap *heap)
{
	return ages_of(run->state, replay_image_heap(run->replay, heap->image->number));
}

static void put_tables(struct run *run)
{
	const struct temporary_state *s = run->state;
	struct site_rows *all = xcalloc(1, sizeof(*all));
	struct emit *table = s->shows_ages ? freed_ages_table(run) : NULL;

	for (size_t i = 0; i < run->heap_count; i++) {
		const struct ages *ages = heap_ages(run, run->heaps[i]);
		struct site_rows *rows;

		if (table) {
			freed_ages_emit(table, run->heaps[i]->image, &ages->freed);
			continue;
		}
		rows = make_rows(run, run->heaps[i], ages);
		site_rows_append(all, rows);
		site_rows_free(rows);
	}
	if (table)
		emit_free(table);
	else
		put_rows(run, all);
	site_rows_free(all);
}

static int temporary_end(struct run *run)
{
	struct temporary_state *s = run->state;

	s->tree = frame_tree_new(run->resolver, run->wrappers, run->stacks);
	if (run->format != EMIT_TEXT) {
		put_tables(run);
		return 0;
	}
	for (size_t i = 0; i < run->heap_count; i++) {
		if (i > 0)
			putc('\n', run->out);
		put_text(run, run->heaps[i], heap_ages(run, run->heaps[i]));
	}
	return 0;
}

static void temporary_release(struct run *run)
{
	struct temporary_state *s = run->state;

	frame_tree_free(s->tree);
	for (size_t i = 0; i < s->count; i++)
		free(s->ages[i].young);
	free(s->ages);
}

enum { KEY_AGE = 0x200, KEY_AGES };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const struct form_input *input = state->input;
	struct temporary_state *s = input->state;

	switch (key) {
	case 'd':
		s->depth = form_depth(state, arg);
		s->has_depth = true;
		return 0;
	case KEY_AGE:
		if (units_parse_ns(arg, &s->age_ns) != 0)
			form_usage_error(state, "--age takes a duration, as 500ns, 10us, 1ms or 2s, not '%s'",
					 arg);
		s->has_age = true;
		return 0;
	case KEY_AGES:
		s->shows_ages = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "age", KEY_AGE, "DURATION", 0,
	  "Blocks freed within DURATION of their allocation (1ms, 20us; a bare number: seconds), "
	  "whatever their thread did in between", 0 },
	{ "ages", KEY_AGES, NULL, 0, "Only the histogram: how old blocks are when they are freed", 0 },
	STACK_DEPTH_OPTION,
	{ 0 },
};

static const struct argp argp = { .options = options, .parser = parse };

const struct form form_temporary = {
	.name = "temporary",
	.summary = "blocks freed at once: before the next allocation, or by age",
	.needs = NEED_EVENTS | NEED_HEAP | NEED_SYMBOLS,
	.options = &argp,
	.doc = "Blocks of the heap that were freed before their thread allocated again, by call stack: "
	       "calls of the allocator that a buffer kept would save. Below, how old blocks were when "
	       "they were freed.",
	.columns = columns,
	.column_count = COL_COUNT,
	.default_sort = "blocks",
	.default_top = 10,
	.state_size = sizeof(struct temporary_state),
	.begin = temporary_begin,
	.event = temporary_event,
	.end = temporary_end,
	.release = temporary_release,
};
