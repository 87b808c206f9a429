/*
 * diff_sizes.c - `diff --form=sizes`: how often each size was requested, or is live, on
 * both sides. Heap blocks only. Rows that are alike are left out.
 */
#include "forms/diff.h"

#include <stdlib.h>

#include "base/term.h"
#include "base/units.h"
#include "base/xmem.h"
#include "model/replay.h"

enum {
	COL_STATUS, COL_SIZE, COL_OLD, COL_NEW, COL_CHANGE, COL_PERCENT, COL_CHANGE_BYTES, COL_COUNT,
};

static const struct column columns[COL_COUNT] = {
	[COL_STATUS] = { "status", "status", COLUMN_TEXT, 0, true, "added, removed, grown, shrunk" },
	[COL_SIZE] = { "size", "size", COLUMN_COUNT, 0, true, "requested bytes of a block" },
	[COL_OLD] = { "old", "old", COLUMN_COUNT, 0, true, "blocks of that size on the old side" },
	[COL_NEW] = { "new", "new", COLUMN_COUNT, 0, true, "blocks of that size on the new side" },
	[COL_CHANGE] = { "change", "change", COLUMN_MORE_COUNT, 0, true, "new - old" },
	[COL_PERCENT] = { "percent", "%", COLUMN_PERCENT, 0, true, "of old" },
	[COL_CHANGE_BYTES] = { "change_bytes", "bytes", COLUMN_MORE_BYTES, 0, true,
		"change of their bytes" },
};

struct size_diff {
	uint64_t size;
	uint64_t blocks[DIFF_SIDES], bytes[DIFF_SIDES];
};

struct size_list {
	struct size_diff *rows;
	size_t count, capacity;
};

struct adding {
	struct size_list *list;
	const struct heap *heap;
	int side;
};

static void add(struct size_list *list, int side, uint64_t size, struct amount amount)
{
	struct size_diff row = { .size = size };

	row.blocks[side] = amount.blocks;
	row.bytes[side] = amount.bytes;
	xgrow(&list->rows, &list->capacity, list->count, sizeof(*list->rows));
	list->rows[list->count++] = row;
}

static int compare_size(const void *pa, const void *pb)
{
	const struct size_diff *a = pa, *b = pb;

	return a->size < b->size ? -1 : a->size > b->size;
}

/* One row for each size, by size. */
static void add_up(struct size_list *list)
{
	size_t kept = 0;

	if (list->count == 0)
		return;
	qsort(list->rows, list->count, sizeof(*list->rows), compare_size);
	for (size_t i = 1; i < list->count; i++) {
		struct size_diff *to = &list->rows[kept], from = list->rows[i];

		if (to->size != from.size) {
			list->rows[++kept] = from;
			continue;
		}
		for (int side = 0; side < DIFF_SIDES; side++) {
			to->blocks[side] += from.blocks[side];
			to->bytes[side] += from.bytes[side];
		}
	}
	list->count = kept + 1;
}

static void add_live(const struct block *b, void *ctx)
{
	struct adding *a = ctx;

	add(a->list, a->side, b->size, replay_weight(a->heap, b));
	/* a million live blocks have few sizes */
	if (a->list->count >= 1u << 16 && a->list->count == a->list->capacity)
		add_up(a->list);
}

static void add_side(struct diff *d, int side, struct size_list *list)
{
	const struct diff_side *s = &d->sides[side];

	for (size_t i = 0; i < s->heap_count; i++) {
		const struct heap *h = s->heaps[i];

		if (d->metric == METRIC_END) {
			struct adding adding = { list, h, side };

			replay_each_live(s->run->replay, h, add_live, &adding);
			continue;
		}
		for (size_t k = 0; k < h->size_count; k++)
			add(list, side, h->sizes[k].size,
			    (struct amount){ h->sizes[k].count, h->sizes[k].bytes });
	}
}

static enum diff_status status_of(const struct size_diff *row)
{
	uint64_t old = row->blocks[DIFF_OLD], new = row->blocks[DIFF_NEW];

	if (old == new)
		return row->bytes[DIFF_OLD] == row->bytes[DIFF_NEW] ? DIFF_SAME :
		       row->bytes[DIFF_OLD] < row->bytes[DIFF_NEW] ? DIFF_GROWN : DIFF_SHRUNK;
	return old == 0 ? DIFF_ADDED : new == 0 ? DIFF_REMOVED : new > old ? DIFF_GROWN : DIFF_SHRUNK;
}

static double magnitude(int64_t change)
{
	return change < 0 ? -(double)change : (double)change;
}

/* What ROW has in COLUMN, to be compared. */
static double value_of(const struct size_diff *row, size_t column)
{
	uint64_t old = row->blocks[DIFF_OLD], new = row->blocks[DIFF_NEW];

	switch (column) {
	case COL_STATUS:
		return (double)status_of(row);
	case COL_SIZE:
		return (double)row->size;
	case COL_OLD:
		return (double)old;
	case COL_NEW:
		return (double)new;
	case COL_PERCENT:
		/* from nothing to something is more than any per cent */
		return old ? ((double)new - (double)old) / (double)old : 1e300;
	case COL_CHANGE:
		return magnitude(diff_change(old, new));
	default:
		return magnitude(diff_change(row->bytes[DIFF_OLD], row->bytes[DIFF_NEW]));
	}
}

static int compare(const void *pa, const void *pb, void *ctx)
{
	const struct size_diff *a = pa, *b = pb;
	const struct sort_order *order = ctx;

	for (size_t i = 0; i < order->count; i++) {
		double va = value_of(a, order->keys[i].column), vb = value_of(b, order->keys[i].column);

		if (va != vb)
			return (va < vb) == order->keys[i].is_ascending ? -1 : 1;
	}
	return compare_size(a, b);
}

static void put_rows(struct diff *d, const struct size_list *list, size_t shown)
{
	struct emit_options options = { .format = d->format, .color = d->color };
	struct emit *table = emit_new(d->out, columns, COL_COUNT, &options);

	for (size_t i = 0; i < shown; i++) {
		const struct size_diff *row = &list->rows[i];
		uint64_t old = row->blocks[DIFF_OLD], new = row->blocks[DIFF_NEW];
		struct cell cells[COL_COUNT] = {
			[COL_STATUS] = cell_text(diff_status_name(status_of(row))),
			[COL_SIZE] = cell_number(row->size),
			[COL_OLD] = cell_number(old),
			[COL_NEW] = cell_number(new),
			[COL_CHANGE] = cell_change(diff_change(old, new)),
			[COL_PERCENT] = diff_percent(old, new),
			[COL_CHANGE_BYTES] = cell_change(diff_change(row->bytes[DIFF_OLD],
								     row->bytes[DIFF_NEW])),
		};

		emit_row(table, cells);
	}
	emit_free(table);
}

static int parse_sort(const struct diff *d, struct sort_order *order)
{
	const char *by = d->sort ? d->sort : d->metric == METRIC_COUNT ? "change" : "change_bytes";

	return emit_parse_sort(by, columns, COL_COUNT, order, d->sides[DIFF_NEW].run->diag);
}

int diff_sizes_check(const struct diff *d)
{
	struct sort_order order;

	return parse_sort(d, &order);
}

int diff_put_sizes(struct diff *d)
{
	const char *words = d->metric != METRIC_END ? "allocated in all" :
			    d->moments[DIFF_NEW] ? "live" : "live at the end";
	char shown_text[UNITS_MAX], count_text[UNITS_MAX];
	struct size_list list = { 0 };
	struct sort_order order;
	size_t kept = 0, shown;

	if (parse_sort(d, &order) != 0)
		return -1;
	add_side(d, DIFF_OLD, &list);
	add_side(d, DIFF_NEW, &list);
	add_up(&list);
	for (size_t i = 0; i < list.count; i++)
		if (status_of(&list.rows[i]) != DIFF_SAME)
			list.rows[kept++] = list.rows[i];
	if (kept > 1)
		qsort_r(list.rows, kept, sizeof(*list.rows), compare, &order);
	shown = d->top == 0 || d->top > kept ? kept : d->top;
	if (d->format == EMIT_TEXT) {
		diff_put_sides(d);
		if (kept == 0)
			fprintf(d->out, "no difference in the sizes of blocks %s\n", words);
		else
			fprintf(d->out, "blocks %s, by size\n\n", words);
	}
	if (kept > 0 || d->format != EMIT_TEXT)
		put_rows(d, &list, shown);
	if (d->format == EMIT_TEXT && shown < kept)
		fprintf(d->out, "%s\n%s of %s sizes that differ; --top=0 shows all%s\n",
			term_style(d->color, STYLE_FAINT), units_count(shown_text, shown),
			units_count(count_text, kept), term_plain(d->color));
	free(list.rows);
	return kept > 0;
}
