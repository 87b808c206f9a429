/*
 * site_rows.c - sites added up by what their call stacks print.
 */
#include "forms/site_rows.h"

#include <stdlib.h>

#include "base/idmap.h"
#include "base/xmem.h"

struct sorting {
	const struct frame_tree *tree;
	const struct sort_order *order;
	const struct column *columns;
	uint64_t (*value)(const struct site_row *row, size_t column);
};

static void add(struct amount *to, struct amount from)
{
	to->blocks += from.blocks;
	to->bytes += from.bytes;
}

/* USERS: by frame_tree_user, DEPTH means nothing then. WITH_RELEASED: site_rows_released. */
static struct site_rows *make_rows(struct frame_tree *tree, const struct heap *heap,
				   uint32_t depth, bool users, bool with_released)
{
	struct site_rows *s = xcalloc(1, sizeof(*s));
	struct idmap index = { 0 };
	size_t capacity = 0;

	for (size_t i = 0; i < heap->site_count; i++) {
		const struct site *site = &heap->sites[i];
		bool is_mapping = site->kind == KIND_MAPPING;
		frame_node node;
		struct site_row *row;
		uint32_t at;

		/* in a window: nothing of this site is in it */
		if (site->total.blocks == 0 && site->peak.blocks == 0 && site->end.blocks == 0 &&
		    !(with_released && site->freed.blocks > 0))
			continue;

		node = users ? frame_tree_user(tree, site->stack, is_mapping) :
		       frame_tree_site_cut(tree, site->stack, is_mapping, depth);
		at = idmap_add(&index, (uint64_t)node << 1 | is_mapping,
			       (uint32_t)s->count + 1) - 1;
		if (at == s->count) {
			xgrow(&s->rows, &capacity, s->count, sizeof(*s->rows));
			s->rows[s->count++] = (struct site_row){
				.node = node,
				.kind = site->kind,
				.image = heap->image,
			};
		}
		row = &s->rows[at];
		add(&row->total, site->total);
		add(&row->freed, site->freed);
		add(&row->peak, site->peak);
		add(&row->end, site->end);
		add(&row->temporary, site->temporary);
	}
	idmap_release(&index);
	return s;
}

struct site_rows *site_rows_new(struct frame_tree *tree, const struct heap *heap,
				uint32_t depth)
{
	return make_rows(tree, heap, depth, false, false);
}

struct site_rows *site_rows_released(struct frame_tree *tree, const struct heap *heap,
				     uint32_t depth)
{
	return make_rows(tree, heap, depth, false, true);
}

struct site_rows *site_rows_users(struct frame_tree *tree, const struct heap *heap)
{
	return make_rows(tree, heap, 1, true, false);
}

void site_rows_add_lives(struct site_rows *s, struct frame_tree *tree, const struct heap *heap,
			 uint32_t depth, const struct lifetimes *l)
{
	uint32_t *row_of = xreallocarray(NULL, heap->site_count + 1, sizeof(*row_of));
	struct lifetime *lives = xcalloc(s->count + 1, sizeof(*lives));
	struct idmap index = { 0 };

	for (size_t i = 0; i < s->count; i++)
		idmap_add(&index, (uint64_t)s->rows[i].node << 1 | (s->rows[i].kind == KIND_MAPPING),
			  (uint32_t)i + 1);
	for (size_t i = 0; i < heap->site_count; i++) {
		const struct site *site = &heap->sites[i];
		bool is_mapping = site->kind == KIND_MAPPING;
		frame_node node = frame_tree_site_cut(tree, site->stack, is_mapping, depth);

		/* 0, not found, becomes LIFETIMES_NO_ROW */
		row_of[i] = idmap_find(&index, (uint64_t)node << 1 | is_mapping) - 1;
	}
	lifetimes_rows(l, row_of, heap->site_count, lives, s->count);
	for (size_t i = 0; i < s->count; i++)
		s->rows[i].life = lives[i];
	idmap_release(&index);
	free(row_of);
	free(lives);
}

void site_rows_free(struct site_rows *s)
{
	if (!s)
		return;
	free(s->rows);
	free(s);
}

void site_rows_append(struct site_rows *to, struct site_rows *from)
{
	to->rows = xreallocarray(to->rows, to->count + from->count + 1,
				 sizeof(*to->rows));
	for (size_t i = 0; i < from->count; i++)
		to->rows[to->count++] = from->rows[i];
	from->count = 0;
}

static int compare(const void *pa, const void *pb, void *ctx)
{
	const struct site_row *a = pa, *b = pb;
	const struct sorting *s = ctx;
	int order;

	for (size_t i = 0; i < s->order->count; i++) {
		const struct sort_key *key = &s->order->keys[i];
		uint64_t va, vb;

		if (s->columns[key->column].type == COLUMN_TEXT) {
			order = frame_tree_compare(s->tree, a->node, b->node);
		} else {
			va = s->value(a, key->column);
			vb = s->value(b, key->column);
			order = va < vb ? -1 : va > vb;
		}
		if (order != 0)
			return key->is_ascending ? order : -order;
	}
	order = frame_tree_compare(s->tree, a->node, b->node);
	if (order == 0)
		order = (int)a->kind - (int)b->kind;
	if (order == 0 && a->image != b->image)
		order = a->image->number < b->image->number ? -1 : 1;
	return order;
}

/*
 * The WANTED first of many rows: rows [0, WANTED) are the best so far, sorted, and
 * behind them a place of the same size is filled with better ones; when it is full
 * both are sorted. Most rows cost one comparison.
 */
static void select_first(struct site_rows *s, size_t wanted, struct sorting *sorting)
{
	size_t end = wanted * 2;

	qsort_r(s->rows, wanted, sizeof(*s->rows), compare, sorting);
	for (size_t i = wanted, at = wanted; i < s->count; i++) {
		if (compare(&s->rows[i], &s->rows[wanted - 1], sorting) < 0) {
			struct site_row better = s->rows[i];

			s->rows[i] = s->rows[at];
			s->rows[at++] = better;
		}
		if (at == end || i + 1 == s->count) {
			qsort_r(s->rows, at, sizeof(*s->rows), compare, sorting);
			at = wanted;
		}
	}
}

void site_rows_sort(struct site_rows *s, struct frame_tree *tree, size_t wanted,
		    const struct sort_order *order, const struct column *columns,
		    uint64_t (*value)(const struct site_row *row, size_t column))
{
	struct sorting sorting = { tree, order, columns, value };

	frame_tree_rank(tree);
	if (wanted > 0 && wanted < s->count / 8)
		select_first(s, wanted, &sorting);
	else if (s->count > 1)
		qsort_r(s->rows, s->count, sizeof(*s->rows), compare, &sorting);
}
