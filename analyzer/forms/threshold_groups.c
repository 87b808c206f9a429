/*
 * threshold_groups.c - sizes in ranges: up to 1 KiB, 4, 16, 64 KiB, the threshold,
 * 256 KiB, 1, 4, 32 MiB, and more.
 */
#include <stdlib.h>

#include "base/xmem.h"
#include "forms/threshold_facts.h"

#define FEW_SIZES 12
#define EDGES_MAX 16

static int compare(const void *pa, const void *pb)
{
	uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;

	return a < b ? -1 : a > b;
}

/* The first size of each range, ascending, each once. */
static size_t edges_of(const struct threshold_facts *f, uint64_t edges[EDGES_MAX])
{
	static const uint64_t fixed[] = {
		0, 1025, 4097, 16385, 65537, 262145, (1 << 20) + 1, (4 << 20) + 1, (32 << 20) + 1,
	};
	size_t count = 0, kept = 1;

	for (; count < sizeof(fixed) / sizeof(fixed[0]); count++)
		edges[count] = fixed[count];
	if (f->is_glibc) {
		edges[count++] = malloc_threshold_request(f->first.value[SET_MMAP_THRESHOLD]);
		edges[count++] = malloc_threshold_request(f->last.value[SET_MMAP_THRESHOLD]);
	}
	qsort(edges, count, sizeof(edges[0]), compare);
	for (size_t i = 1; i < count; i++)
		if (edges[i] != edges[kept - 1])
			edges[kept++] = edges[i];
	return kept;
}

struct threshold_group *threshold_groups(const struct threshold_facts *f, bool each, size_t *count)
{
	uint64_t edges[EDGES_MAX];
	size_t edge_count = edges_of(f, edges), edge = 0, first = 0;
	struct threshold_group *groups = xcalloc(f->row_count + 1, sizeof(*groups));

	*count = 0;
	each = each || f->row_count <= FEW_SIZES;
	for (size_t i = 0; i < f->row_count; i = first) {
		uint64_t size = f->rows[i].size;
		struct threshold_group *g = &groups[(*count)++];

		while (edge + 1 < edge_count && edges[edge + 1] <= size)
			edge++;
		g->from = each ? size : edges[edge];
		g->to = each ? size : edge + 1 < edge_count ? edges[edge + 1] - 1 : UINT64_MAX;
		for (first = i; first < f->row_count && f->rows[first].size <= g->to; first++)
			;
		g->sum = served_sum(&f->rows[i], first - i);
		g->is_one_size = first - i == 1;
		g->sum.size = g->is_one_size ? size : 0;
	}
	return groups;
}
