/*
 * maps_owners.c - one pass over what is live, added up by mapping and call stack.
 */
#include "forms/maps_owners.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/xmem.h"

struct key {
	const struct region_view *region;
	frame_node node;
	uint32_t kind;
};

struct entry {
	struct key key;
	struct owner owner;
	UT_hash_handle hh;
};

struct adding {
	const struct address_space *a;
	const struct heap *heap;
	const struct map_snapshot *snapshot;
	struct frame_tree *tree;
	frame_node *nodes;        /* by site; 0: not asked yet */
	struct entry *entries;
};

static struct owner *owner_of(struct adding *adding, const struct region_view *region, site_id site)
{
	const struct site *s = &adding->heap->sites[site];
	struct entry *e;
	struct key key;

	if (!adding->nodes[site])
		adding->nodes[site] = frame_tree_site(adding->tree, s->stack,
						      s->kind == KIND_MAPPING);
	memset(&key, 0, sizeof(key));
	key.region = region;
	key.node = adding->nodes[site];
	key.kind = s->kind;
	HASH_FIND(hh, adding->entries, &key, sizeof(key), e);
	if (!e) {
		e = xcalloc(1, sizeof(*e));
		e->key = key;
		e->owner = (struct owner){ .region = region, .node = key.node, .kind = s->kind };
		HASH_ADD(hh, adding->entries, key, sizeof(key), e);
	}
	return &e->owner;
}

static uint64_t resident_of(const struct map_snapshot *s, uint64_t start, uint64_t bytes)
{
	if (!s || !s->has_pages)
		return 0;
	return bytes < TOUCHED_LEAST ? bytes : map_snapshot_touched(s, start, start + bytes);
}

static void add_block(const struct block *b, void *ctx)
{
	struct adding *adding = ctx;
	struct amount weight = replay_weight(adding->heap, b);
	const struct region_view *region = address_space_find(adding->a, b->addr);
	struct owner *o;

	if (!region || b->site >= adding->heap->site_count)
		return;
	o = owner_of(adding, region, b->site);
	o->asked.blocks += weight.blocks;
	o->asked.bytes += weight.bytes;
	o->resident += resident_of(adding->snapshot, b->addr, b->size) * weight.blocks;
}

static void add_mapping(const struct block *b, void *ctx)
{
	struct adding *adding = ctx;
	uint64_t at = b->addr, end = b->addr + b->size;

	while (at < end && b->site < adding->heap->site_count) {
		const struct region_view *region = address_space_find(adding->a, at);
		struct owner *o;
		uint64_t to;

		if (!region)
			return;
		to = region->map->end < end ? region->map->end : end;
		o = owner_of(adding, region, b->site);
		o->asked.blocks += at == b->addr;
		o->asked.bytes += to - at;
		o->resident += resident_of(adding->snapshot, at, to - at);
		at = to;
	}
}

static int compare_owners(const void *pa, const void *pb, void *ctx)
{
	const struct owner *a = pa, *b = pb;

	if (a->region != b->region)
		return a->region < b->region ? -1 : 1;
	if (a->asked.bytes != b->asked.bytes)
		return a->asked.bytes > b->asked.bytes ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return frame_tree_compare(ctx, a->node, b->node);
}

static void sort(struct owners *o, const struct frame_tree *tree)
{
	if (o->count > 1)
		qsort_r(o->rows, o->count, sizeof(*o->rows), compare_owners, (void *)tree);
}

struct owners *owners_new(const struct address_space *a, const struct replay *rp,
			  const struct heap *heap, const struct map_snapshot *snapshot,
			  struct frame_tree *tree)
{
	struct adding adding = { .a = a, .heap = heap, .snapshot = snapshot, .tree = tree };
	struct owners *o = xcalloc(1, sizeof(*o));
	struct entry *e, *next;

	adding.nodes = xcalloc(heap->site_count + 1, sizeof(*adding.nodes));
	replay_each_live(rp, heap, add_block, &adding);
	replay_each_mapping(rp, heap, add_mapping, &adding);
	o->rows = xcalloc(HASH_COUNT(adding.entries) + 1, sizeof(*o->rows));
	HASH_ITER(hh, adding.entries, e, next) {
		o->rows[o->count++] = e->owner;
		HASH_DEL(adding.entries, e);
		free(e);
	}
	free(adding.nodes);
	sort(o, tree);
	return o;
}

void owners_free(struct owners *o)
{
	if (!o)
		return;
	free(o->rows);
	free(o);
}

static int compare_stacks(const void *pa, const void *pb)
{
	const struct owner *a = pa, *b = pb;

	if (a->node != b->node)
		return a->node < b->node ? -1 : 1;
	return a->kind < b->kind ? -1 : a->kind > b->kind;
}

void owners_join(struct owners *o, const struct frame_tree *tree)
{
	size_t kept = 0;

	if (o->count > 1)
		qsort(o->rows, o->count, sizeof(*o->rows), compare_stacks);
	for (size_t i = 0; i < o->count; i++) {
		struct owner *last = kept ? &o->rows[kept - 1] : NULL;

		if (last && compare_stacks(last, &o->rows[i]) == 0) {
			last->asked.blocks += o->rows[i].asked.blocks;
			last->asked.bytes += o->rows[i].asked.bytes;
			last->resident += o->rows[i].resident;
			continue;
		}
		o->rows[kept] = o->rows[i];
		o->rows[kept++].region = NULL;
	}
	o->count = kept;
	sort(o, tree);
}
