/*
 * lifetimes.c - see lifetimes.h: one table of (group, bucket) with counts; rows are made by
 * sorting a copy of it once.
 */
#include "model/lifetimes.h"

#include <stdlib.h>

#include "base/idmap.h"
#include "base/xmem.h"

/* Buckets of a power of two: 2^SUB_BITS. */
#define SUB_BITS 5
#define SUBS (1u << SUB_BITS)
/* All buckets need this many bits: 64 powers of two at most. */
#define BUCKET_BITS (SUB_BITS + 6)

struct extent { uint64_t min, max; };

struct cell { uint32_t group, bucket; uint64_t blocks; };

struct lifetimes {
	struct extent *extents;  /* by group; min > max: nothing yet */
	size_t extent_count;
	struct cell *cells;
	size_t cell_count, cell_capacity;
	struct idmap index;      /* group, bucket -> cell + 1 */
};

static uint32_t bucket_of(uint64_t ticks)
{
	unsigned power;

	if (ticks < SUBS)
		return (uint32_t)ticks;
	power = 63 - (unsigned)__builtin_clzll(ticks);
	return (power - SUB_BITS + 1) * SUBS + ((uint32_t)(ticks >> (power - SUB_BITS)) & (SUBS - 1));
}

/* The middle of BUCKET. */
static uint64_t bucket_value(uint32_t bucket)
{
	unsigned shift;
	uint64_t first;

	if (bucket < SUBS)
		return bucket;
	shift = bucket / SUBS - 1;
	first = (uint64_t)(SUBS + bucket % SUBS) << shift;
	return first + (((uint64_t)1 << shift) - 1) / 2;
}

struct lifetimes *lifetimes_new(void)
{
	return xcalloc(1, sizeof(struct lifetimes));
}

void lifetimes_free(struct lifetimes *l)
{
	if (!l)
		return;
	idmap_release(&l->index);
	free(l->extents);
	free(l->cells);
	free(l);
}

static struct extent *extent_of(struct lifetimes *l, uint32_t group)
{
	if (group >= l->extent_count) {
		size_t count = (size_t)group * 2 + 16;

		l->extents = xreallocarray(l->extents, count, sizeof(*l->extents));
		for (size_t i = l->extent_count; i < count; i++)
			l->extents[i] = (struct extent){ UINT64_MAX, 0 };
		l->extent_count = count;
	}
	return &l->extents[group];
}

void lifetimes_add(struct lifetimes *l, uint32_t group, uint64_t ticks, uint64_t blocks)
{
	struct extent *e = extent_of(l, group);
	uint32_t bucket = bucket_of(ticks);
	uint64_t key = (uint64_t)group << BUCKET_BITS | bucket;
	uint32_t at = idmap_add(&l->index, key, (uint32_t)l->cell_count + 1) - 1;

	if (ticks < e->min)
		e->min = ticks;
	if (ticks > e->max)
		e->max = ticks;
	if (at == l->cell_count) {
		xgrow(&l->cells, &l->cell_capacity, l->cell_count, sizeof(*l->cells));
		l->cells[l->cell_count++] = (struct cell){ group, bucket, 0 };
	}
	l->cells[at].blocks += blocks;
}

static int compare(const void *pa, const void *pb)
{
	const struct cell *a = pa, *b = pb;

	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	return a->bucket < b->bucket ? -1 : a->bucket > b->bucket;
}

/* The value at RANK (from 1) of the CELLS of one row, sorted; it lies within ROW's extent. */
static uint64_t value_at(const struct cell *cells, uint64_t rank, const struct lifetime *row)
{
	uint64_t seen = 0, value;

	if (rank == row->blocks)
		return row->max;
	while ((seen += cells->blocks) < rank)
		cells++;
	value = bucket_value(cells->bucket);
	if (value < row->min)
		return row->min;
	return value > row->max ? row->max : value;
}

/* ceil(PERCENT / 100 * COUNT). */
static uint64_t rank_of(uint64_t count, unsigned percent)
{
	return count / 100 * percent + (count % 100 * percent + 99) / 100;
}

static void fill_rows(const struct cell *cells, size_t cell_count, struct lifetime *rows)
{
	for (size_t i = 0, end; i < cell_count; i = end) {
		struct lifetime *row = &rows[cells[i].group];

		for (end = i; end < cell_count && cells[end].group == cells[i].group; end++)
			row->blocks += cells[end].blocks;
		if (row->blocks == 0)
			continue;
		row->median = value_at(&cells[i], rank_of(row->blocks, 50), row);
		row->p99 = value_at(&cells[i], rank_of(row->blocks, 99), row);
	}
}

void lifetimes_rows(const struct lifetimes *l, const uint32_t *row_of_group, size_t group_count,
		    struct lifetime *rows, size_t count)
{
	struct cell *cells = xreallocarray(NULL, l->cell_count + 1, sizeof(*cells));
	size_t used = 0;

	for (size_t i = 0; i < count; i++)
		rows[i] = (struct lifetime){ .min = UINT64_MAX };
	for (size_t i = 0; i < l->cell_count; i++) {
		struct cell c = l->cells[i];
		const struct extent *e = &l->extents[c.group];
		uint32_t at = c.group < group_count ? row_of_group[c.group] : LIFETIMES_NO_ROW;

		if (at >= count || c.blocks == 0)
			continue;
		rows[at].min = e->min < rows[at].min ? e->min : rows[at].min;
		rows[at].max = e->max > rows[at].max ? e->max : rows[at].max;
		c.group = at;
		cells[used++] = c;
	}
	if (used)
		qsort(cells, used, sizeof(*cells), compare);
	fill_rows(cells, used, rows);
	for (size_t i = 0; i < count; i++)
		if (rows[i].blocks == 0)
			rows[i].min = 0;
	free(cells);
}
