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

static uint64_t resident_of(const struct map_snapshot *s, const struct block *b,
			    const struct region_part *part)
{
	if (!s || !s->has_pages)
		return 0;
	return b->size < TOUCHED_LEAST ? part->bytes :
	       map_snapshot_touched(s, part->start, part->start + part->bytes);
}

struct adding_block {
	struct adding *adding;
	const struct block *block;
	struct amount weight;
};

static void add_part(const struct region_part *part, void *ctx)
{
	const struct adding_block *one = ctx;
	const struct block *b = one->block;
	struct owner *o = owner_of(one->adding, part->view, b->site);

	o->asked.blocks += part->is_most ? one->weight.blocks : 0;
	o->asked.bytes += region_part_bytes(part, b, one->weight);
	o->resident += resident_of(one->adding->snapshot, b, part) * one->weight.blocks;
}

static void add_block(const struct block *b, void *ctx)
{
	struct adding *adding = ctx;
	struct adding_block one = { adding, b, replay_weight(adding->heap, b) };

	if (b->site < adding->heap->site_count)
		address_space_parts(adding->a, b->addr, b->size, add_part, &one);
}

static void add_mapping(const struct block *b, void *ctx)
{
	struct adding *adding = ctx;
	struct adding_block one = { adding, b, { 1, b->size } };

	if (b->site < adding->heap->site_count)
		address_space_parts(adding->a, b->addr, b->size, add_part, &one);
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
