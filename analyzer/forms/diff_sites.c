/*
 * diff_sites.c - `diff --form=sites`: the call stacks whose figure differs, with what it
 * was, what it is, and what became of it. Between two moments also what was acquired and
 * released there in the meantime. Rows that are alike are left out.
 */
#include "forms/diff.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/term.h"
#include "base/units.h"
#include "base/xmem.h"
#include "forms/stack_text.h"

#define MACHINE (SHOW_CSV | SHOW_JSON)
/* Frames under a row in text, unless --depth says otherwise. */
#define FRAMES_SHOWN 6

enum {
	COL_STATUS, COL_KIND, COL_METRIC, COL_CHANGE, COL_PERCENT, COL_OLD, COL_NEW,
	COL_ALLOCATED, COL_FREED, COL_ALLOCATED_BLOCKS, COL_FREED_BLOCKS,
	COL_FUNCTION, COL_FILE, COL_LINE, COL_OLD_LINE, COL_STACK, COL_FRAMES, COL_COUNT,
};

static const struct column all_columns[COL_COUNT] = {
	[COL_STATUS] = { "status", "status", COLUMN_TEXT, 0, true,
		"added or removed: the other side never allocated there; grown, shrunk" },
	[COL_KIND] = { "kind", NULL, COLUMN_TEXT, MACHINE, true, "heap or mapping" },
	[COL_METRIC] = { "metric", NULL, COLUMN_TEXT, MACHINE, false, "the word of --metric" },
	[COL_CHANGE] = { "change", "change", COLUMN_MORE_BYTES, 0, true, "new - old" },
	[COL_PERCENT] = { "percent", "%", COLUMN_PERCENT, 0, true,
		"of old; empty where that is 0" },
	[COL_OLD] = { "old", "old", COLUMN_BYTES, 0, true, "the figure of the old side" },
	[COL_NEW] = { "new", "new", COLUMN_BYTES, 0, true, "the figure of the new side" },
	[COL_ALLOCATED] = { "allocated_bytes", "allocated", COLUMN_BYTES, 0, true,
		"between the moments" },
	[COL_FREED] = { "freed_bytes", "freed", COLUMN_BYTES, 0, true, "between the moments" },
	[COL_ALLOCATED_BLOCKS] = { "allocated_blocks", NULL, COLUMN_COUNT, MACHINE, true, NULL },
	[COL_FREED_BLOCKS] = { "freed_blocks", NULL, COLUMN_COUNT, MACHINE, true, NULL },
	[COL_FUNCTION] = { "function", NULL, COLUMN_TEXT, MACHINE, true, "allocation site" },
	[COL_FILE] = { "file", NULL, COLUMN_TEXT, MACHINE, false, "its source file" },
	[COL_LINE] = { "line", NULL, COLUMN_EXACT, MACHINE, false,
		"its line on the new side; empty where that has none" },
	[COL_OLD_LINE] = { "old_line", NULL, COLUMN_EXACT, MACHINE, false, "on the old side" },
	[COL_STACK] = { "stack", NULL, COLUMN_TEXT, MACHINE, false,
		"functions of the call stack, innermost first, separated by ';'" },
	[COL_FRAMES] = { "frames", NULL, COLUMN_JSON, 0, false,
		"the call stack as {function, file, line, module}" },
};

/* The columns of this comparison. */
static void choose_columns(const struct diff *d, struct column columns[COL_COUNT])
{
	for (size_t i = 0; i < COL_COUNT; i++)
		columns[i] = all_columns[i];
	if (metric_is_blocks(d->metric)) {
		columns[COL_CHANGE].type = COLUMN_MORE_COUNT;
		columns[COL_OLD].type = columns[COL_NEW].type = COLUMN_COUNT;
	}
	if (d->is_moments)
		return;
	/* no window, nothing in between: these columns stay empty for programs */
	columns[COL_ALLOCATED].shown = columns[COL_FREED].shown = MACHINE;
}

static uint64_t between(const struct diff_row *row, size_t column)
{
	const struct site *a = &row->sums[DIFF_OLD], *b = &row->sums[DIFF_NEW];

	switch (column) {
	case COL_ALLOCATED:
		return b->total.bytes - a->total.bytes;
	case COL_FREED:
		return b->freed.bytes - a->freed.bytes;
	case COL_ALLOCATED_BLOCKS:
		return b->total.blocks - a->total.blocks;
	default:
		return b->freed.blocks - a->freed.blocks;
	}
}

struct sorting {
	const struct diff *diff;
	struct sort_order order;
};

static uint64_t magnitude(int64_t change)
{
	return change < 0 ? -(uint64_t)change : (uint64_t)change;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_percent(const struct diff *d, const struct diff_row *a, const struct diff_row *b)
{
	struct cell pa = diff_percent(diff_value(a, DIFF_OLD, d->metric),
				      diff_value(a, DIFF_NEW, d->metric));
	struct cell pb = diff_percent(diff_value(b, DIFF_OLD, d->metric),
				      diff_value(b, DIFF_NEW, d->metric));

	/* from nothing to something is more than any per cent */
	if (pa.is_known != pb.is_known)
		return pa.is_known ? -1 : 1;
	return !pa.is_known || pa.real == pb.real ? 0 : pa.real < pb.real ? -1 : 1;
}

static int compare_column(const struct diff *d, const struct diff_row *a, const struct diff_row *b,
			  size_t column)
{
	switch (column) {
	case COL_STATUS:
		return (int)diff_status(a, d->metric) - (int)diff_status(b, d->metric);
	case COL_KIND:
		return (int)a->kind - (int)b->kind;
	case COL_CHANGE:
		return compare_numbers(magnitude(diff_change(diff_value(a, DIFF_OLD, d->metric),
							     diff_value(a, DIFF_NEW, d->metric))),
				       magnitude(diff_change(diff_value(b, DIFF_OLD, d->metric),
							     diff_value(b, DIFF_NEW, d->metric))));
	case COL_PERCENT:
		return compare_percent(d, a, b);
	case COL_OLD:
		return compare_numbers(diff_value(a, DIFF_OLD, d->metric),
				       diff_value(b, DIFF_OLD, d->metric));
	case COL_NEW:
		return compare_numbers(diff_value(a, DIFF_NEW, d->metric),
				       diff_value(b, DIFF_NEW, d->metric));
	case COL_FUNCTION:
		return compare_numbers(a->stack, b->stack);
	default:
		return compare_numbers(between(a, column), between(b, column));
	}
}

static int compare(const void *pa, const void *pb, void *ctx)
{
	const struct diff_row *a = *(const struct diff_row *const *)pa;
	const struct diff_row *b = *(const struct diff_row *const *)pb;
	const struct sorting *s = ctx;

	for (size_t i = 0; i < s->order.count; i++) {
		const struct sort_key *key = &s->order.keys[i];
		int order = compare_column(s->diff, a, b, key->column);

		if (order != 0)
			return key->is_ascending ? order : -order;
	}
	return compare_numbers(a->stack, b->stack);
}

/* Rows that differ, in order; malloc'ed; NULL where the order is unknown. */
static const struct diff_row **changed_rows(const struct diff *d, const struct column *columns,
					    size_t *count)
{
	const struct diff_match *m = d->match;
	const struct diff_row **rows;
	struct sorting sorting = { .diff = d };

	*count = 0;
	if (emit_parse_sort(d->sort ? d->sort : "change", columns, COL_COUNT, &sorting.order,
			    d->sides[DIFF_NEW].run->diag) != 0)
		return NULL;
	rows = xcalloc(m->count + 1, sizeof(*rows));
	for (size_t i = 0; i < m->count; i++)
		if (diff_status(&m->rows[i], d->metric) != DIFF_SAME)
			rows[(*count)++] = &m->rows[i];
	if (*count > 1)
		qsort_r(rows, *count, sizeof(*rows), compare, &sorting);
	return rows;
}

/* The frame of ROW on SIDE, NULL: none. */
static const struct symbol_frame *side_frame(const struct diff *d, const struct diff_row *row,
					     int side)
{
	return row->is_known[side] ? frame_tree_frame(d->sides[side].tree, row->nodes[side]) : NULL;
}

static void put_frames(const struct diff *d, struct emit *table, const struct diff_row *row)
{
	int side = diff_shown(row);
	const struct frame_tree *tree = d->sides[side].tree;
	frame_node node = row->nodes[side];
	uint32_t depth = frame_tree_depth(tree, node);
	uint32_t shown = d->has_depth || depth == FRAMES_SHOWN + 1 ? depth : FRAMES_SHOWN;

	if (row->kind == KIND_MAPPING)
		emit_detail(table, "    (memory that the program mapped itself)");
	if (!node)
		emit_detail(table, "    (no call stack)");
	for (uint32_t i = 0; node; i++, node = frame_tree_parent(tree, node)) {
		char *text, *line;

		if (i == shown) {
			line = xasprintf("      ... %" PRIu32 " more: --depth=0", depth - i);
			emit_detail(table, line);
			free(line);
			return;
		}
		text = frame_text_fit(frame_tree_frame(tree, node),
				      (size_t)d->width - (i == 0 ? 4 : 6));
		line = xasprintf("%s%s", i == 0 ? "    " : "      ", text);
		emit_detail(table, line);
		free(text);
		free(line);
	}
}

static struct cell line_of(const struct symbol_frame *f)
{
	return f && f->line > 0 ? cell_number((uint64_t)f->line) : (struct cell){ 0 };
}

static void put_row(const struct diff *d, struct emit *table, enum emit_format format,
		    const struct diff_row *row)
{
	uint64_t old = diff_value(row, DIFF_OLD, d->metric);
	uint64_t new = diff_value(row, DIFF_NEW, d->metric);
	const struct symbol_frame *f = diff_frame(d->match, row);
	const struct frame_tree *tree = d->sides[diff_shown(row)].tree;
	frame_node node = row->nodes[diff_shown(row)];
	char *function = format == EMIT_TEXT ? NULL : frame_function(f);
	char *stack = format == EMIT_TEXT ? NULL : stack_folded(tree, node);
	struct cell cells[COL_COUNT] = {
		[COL_STATUS] = cell_text(diff_status_name(diff_status(row, d->metric))),
		[COL_KIND] = cell_text(row->kind == KIND_MAPPING ? "mapping" : "heap"),
		[COL_METRIC] = cell_text(metric_name(d->metric)),
		[COL_CHANGE] = cell_change(diff_change(old, new)),
		[COL_PERCENT] = diff_percent(old, new),
		[COL_OLD] = cell_number(old),
		[COL_NEW] = cell_number(new),
		[COL_FUNCTION] = cell_text(function),
		[COL_FILE] = cell_text(f ? f->file : NULL),
		[COL_LINE] = line_of(side_frame(d, row, DIFF_NEW)),
		[COL_OLD_LINE] = line_of(side_frame(d, row, DIFF_OLD)),
		[COL_STACK] = cell_text(stack),
	};

	if (d->is_moments)
		for (size_t i = COL_ALLOCATED; i <= COL_FREED_BLOCKS; i++)
			cells[i] = cell_number(between(row, i));
	if (format == EMIT_JSON)
		cells[COL_FRAMES] = cell_json(stack_json(tree, node));
	emit_row(table, cells);
	if (format == EMIT_TEXT)
		put_frames(d, table, row);
	free(function);
	free(stack);
}

int diff_sites_check(const struct diff *d)
{
	struct sort_order order;

	return emit_parse_sort(d->sort ? d->sort : "change", all_columns, COL_COUNT, &order,
			       d->sides[DIFF_NEW].run->diag);
}

int64_t diff_sites_table(struct diff *d, FILE *out, enum emit_format format, size_t top,
			 size_t *rows_shown)
{
	struct emit_options options = { .format = format, .color = d->color };
	struct column columns[COL_COUNT];
	const struct diff_row **rows;
	struct emit *table;
	size_t count, shown;

	choose_columns(d, columns);
	rows = changed_rows(d, columns, &count);
	if (!rows)
		return -1;
	shown = top == 0 || top > count ? count : top;
	if (format != EMIT_TEXT || count > 0) {
		table = emit_new(out, columns, COL_COUNT, &options);
		for (size_t i = 0; i < shown; i++)
			put_row(d, table, format, rows[i]);
		emit_free(table);
	}
	free(rows);
	if (rows_shown)
		*rows_shown = shown;
	return (int64_t)count;
}

int diff_put_sites(struct diff *d)
{
	char count[UNITS_MAX], shown_text[UNITS_MAX];
	size_t shown;
	int64_t changed;

	if (d->format == EMIT_TEXT)
		diff_put_sides(d);
	changed = diff_sites_table(d, d->out, d->format, d->top, &shown);
	if (changed < 0 || d->format != EMIT_TEXT)
		return changed < 0 ? -1 : changed > 0;
	if (changed == 0)
		fprintf(d->out, "no difference in %s\n", diff_metric_text(d));
	else if (shown < (uint64_t)changed)
		fprintf(d->out, "%s\n%s of %s call stacks that differ; --top=0 shows all%s\n",
			term_style(d->color, STYLE_FAINT), units_count(shown_text, shown),
			units_count(count, (uint64_t)changed), term_plain(d->color));
	return changed > 0;
}
