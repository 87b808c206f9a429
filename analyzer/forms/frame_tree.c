/*
 * frame_tree.c - interning of frames and of call stacks made of them. Relies on
 * the resolver to keep its strings; costs one look-up for each node of the tree
 * of addresses, however many sites share it.
 */
#include "forms/frame_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/idmap.h"
#include "base/xmem.h"

struct node {
	frame_node parent;
	uint32_t frame;      /* index in frames */
	uint32_t depth : 31;
	bool is_inlined : 1;
};

struct frame_tree {
	struct resolver *resolver;
	const struct wrappers *wrappers;
	const struct stacks *stacks;
	const struct symbol_frame **frames; /* [0] is unused, as in nodes */
	size_t frame_count, frame_capacity;
	struct node *nodes;
	size_t node_count, node_capacity;
	struct idmap by_address;  /* address of a resolver's frame -> frame */
	struct idmap by_content;  /* hash of a frame -> frame */
	struct idmap children;    /* parent node, frame -> node */
	frame_node *of_stack;     /* by stack_id; 0: not known yet */
	size_t of_stack_count;
	uint32_t *ranks;          /* by frame: its place in the order; of the first rank_count */
	size_t rank_count;
	stack_id *path;           /* work space */
	size_t path_capacity;
};

static int compare_text(const char *a, const char *b)
{
	if (a == b)
		return 0;
	return strcmp(a ? a : "", b ? b : "");
}

static int compare_frames(const struct symbol_frame *a,
			  const struct symbol_frame *b)
{
	int order = compare_text(a->function, b->function);

	if (order == 0)
		order = compare_text(a->file, b->file);
	if (order == 0 && a->line != b->line)
		order = a->line < b->line ? -1 : 1;
	if (order == 0 && !a->file)
		order = compare_text(a->module, b->module);
	if (order == 0 && !a->function && a->offset != b->offset)
		order = a->offset < b->offset ? -1 : 1;
	return order;
}

static uint64_t hash_text(uint64_t sum, const char *text)
{
	for (; text && *text; text++)
		sum = (sum ^ (uint8_t)*text) * 0x100000001b3u;
	return (sum ^ 0xff) * 0x100000001b3u;
}

static uint64_t hash_frame(const struct symbol_frame *f)
{
	uint64_t sum = hash_text(0xcbf29ce484222325u, f->function);

	sum = hash_text(sum, f->file) + (uint64_t)f->line * 0x9e3779b97f4a7c15u;
	if (!f->file)
		sum = hash_text(sum, f->module);
	if (!f->function)
		sum += f->offset * 0x9e3779b97f4a7c15u;
	return sum;
}

static uint32_t intern_frame(struct frame_tree *t, const struct symbol_frame *f)
{
	uint64_t key = (uint64_t)(uintptr_t)f;
	uint32_t known = idmap_find(&t->by_address, key);
	uint64_t hash;
	uint32_t id;

	if (known)
		return known;
	/* two frames with one hash: the next hash is tried */
	for (hash = hash_frame(f); ; hash++) {
		id = idmap_add(&t->by_content, hash, (uint32_t)t->frame_count);
		if (id == t->frame_count) {
			xgrow(&t->frames, &t->frame_capacity, t->frame_count,
			      sizeof(*t->frames));
			t->frames[t->frame_count++] = f;
			break;
		}
		if (compare_frames(t->frames[id], f) == 0)
			break;
	}
	return idmap_add(&t->by_address, key, id);
}

static frame_node child(struct frame_tree *t, frame_node parent, uint32_t frame)
{
	uint64_t key = (uint64_t)parent << 32 | frame;
	frame_node id = idmap_add(&t->children, key, (uint32_t)t->node_count);

	if (id == t->node_count) {
		xgrow(&t->nodes, &t->node_capacity, t->node_count,
		      sizeof(*t->nodes));
		t->nodes[t->node_count++] = (struct node){
			.parent = parent,
			.frame = frame,
			.depth = t->nodes[parent].depth + 1,
		};
	}
	return id;
}

struct frame_tree *frame_tree_new(struct resolver *resolver,
				  const struct wrappers *wrappers,
				  const struct stacks *stacks)
{
	struct frame_tree *t = xcalloc(1, sizeof(*t));

	t->resolver = resolver;
	t->wrappers = wrappers;
	t->stacks = stacks;
	xgrow(&t->frames, &t->frame_capacity, 0, sizeof(*t->frames));
	xgrow(&t->nodes, &t->node_capacity, 0, sizeof(*t->nodes));
	t->frames[t->frame_count++] = NULL;
	t->nodes[t->node_count++] = (struct node){ 0 };
	t->of_stack_count = (size_t)stacks_count(stacks) + 1;
	t->of_stack = xcalloc(t->of_stack_count, sizeof(*t->of_stack));
	return t;
}

void frame_tree_free(struct frame_tree *t)
{
	if (!t)
		return;
	idmap_release(&t->by_address);
	idmap_release(&t->by_content);
	idmap_release(&t->children);
	free(t->frames);
	free(t->nodes);
	free(t->of_stack);
	free(t->ranks);
	free(t->path);
	free(t);
}

/* Stacks that were made since the tree was: events may still be read. */
static void make_room(struct frame_tree *t, stack_id stack)
{
	size_t count = t->of_stack_count;

	if (stack < count)
		return;
	while (count <= stack)
		count *= 2;
	t->of_stack = xreallocarray(t->of_stack, count, sizeof(*t->of_stack));
	memset(t->of_stack + t->of_stack_count, 0,
	       (count - t->of_stack_count) * sizeof(*t->of_stack));
	t->of_stack_count = count;
}

frame_node frame_tree_stack(struct frame_tree *t, stack_id stack)
{
	size_t depth = 0;
	frame_node node = 0;

	make_room(t, stack);
	/* up to the first caller that is known, then down again */
	while (stack != STACK_NONE && !t->of_stack[stack]) {
		xgrow(&t->path, &t->path_capacity, depth, sizeof(*t->path));
		t->path[depth++] = stack;
		stack = stacks_node(t->stacks, stack)->parent;
	}
	if (stack != STACK_NONE)
		node = t->of_stack[stack];
	while (depth > 0) {
		const struct symbol *symbol;

		stack = t->path[--depth];
		symbol = resolver_frame(t->resolver, stack);
		for (uint32_t i = symbol->count; i > 0; i--) {
			const struct symbol_frame *f = &symbol->frames[i - 1];

			node = child(t, node, intern_frame(t, f));
			if (f->is_inlined)
				t->nodes[node].is_inlined = true;
		}
		t->of_stack[stack] = node;
	}
	return node;
}

frame_node frame_tree_site(struct frame_tree *t, stack_id stack, bool is_mapping)
{
	struct frame_place place;
	frame_node node;

	if (stack == STACK_NONE)
		return 0;
	place = wrappers_site(t->wrappers, t->resolver, t->stacks, stack, is_mapping);
	if (place.stack == STACK_NONE)
		return 0;
	node = frame_tree_stack(t, place.stack);
	for (uint32_t i = 0; i < place.index; i++)
		node = t->nodes[node].parent;
	return node;
}

frame_node frame_tree_site_cut(struct frame_tree *t, stack_id stack, bool is_mapping,
			       uint32_t depth)
{
	struct frame_place place;
	frame_node node = 0;
	uint32_t count = 0;

	if (depth == 0)
		return frame_tree_site(t, stack, is_mapping);
	if (stack == STACK_NONE)
		return 0;
	place = wrappers_site(t->wrappers, t->resolver, t->stacks, stack, is_mapping);
	while (place.stack != STACK_NONE && count < depth) {
		xgrow(&t->path, &t->path_capacity, count, sizeof(*t->path));
		t->path[count++] = intern_frame(t, place.frame);
		if (count < depth)
			place = frame_place_caller(t->resolver, t->stacks, place);
	}
	while (count > 0)
		node = child(t, node, t->path[--count]);
	return node;
}

frame_node frame_tree_user(struct frame_tree *t, stack_id stack, bool is_mapping)
{
	struct frame_place place;

	if (stack == STACK_NONE)
		return 0;
	place = wrappers_user(t->wrappers, t->resolver, t->stacks, stack, is_mapping);
	return place.stack == STACK_NONE ? 0 : child(t, 0, intern_frame(t, place.frame));
}

frame_node frame_tree_cut(struct frame_tree *t, frame_node node, uint32_t depth)
{
	frame_node result = 0;

	if (depth == 0 || t->nodes[node].depth <= depth)
		return node;
	for (uint32_t i = 0; i < depth; i++) {
		xgrow(&t->path, &t->path_capacity, i, sizeof(*t->path));
		t->path[i] = t->nodes[node].frame;
		node = t->nodes[node].parent;
	}
	while (depth > 0)
		result = child(t, result, t->path[--depth]);
	return result;
}

frame_node frame_tree_parent(const struct frame_tree *t, frame_node node)
{
	return t->nodes[node].parent;
}

const struct symbol_frame *frame_tree_frame(const struct frame_tree *t,
					    frame_node node)
{
	return t->frames[t->nodes[node].frame];
}

bool frame_tree_is_inlined(const struct frame_tree *t, frame_node node)
{
	return t->nodes[node].is_inlined;
}

uint32_t frame_tree_depth(const struct frame_tree *t, frame_node node)
{
	return t->nodes[node].depth;
}

static int compare_ids(const void *pa, const void *pb, void *ctx)
{
	const struct frame_tree *t = ctx;

	return compare_frames(t->frames[*(const uint32_t *)pa],
			      t->frames[*(const uint32_t *)pb]);
}

void frame_tree_rank(struct frame_tree *t)
{
	uint32_t *order;

	if (t->rank_count == t->frame_count)
		return;
	order = xreallocarray(NULL, t->frame_count, sizeof(*order));
	for (size_t i = 0; i < t->frame_count; i++)
		order[i] = (uint32_t)i;
	/* the first is no frame */
	if (t->frame_count > 2)
		qsort_r(order + 1, t->frame_count - 1, sizeof(*order), compare_ids, t);
	t->ranks = xreallocarray(t->ranks, t->frame_count, sizeof(*t->ranks));
	for (size_t i = 0; i < t->frame_count; i++)
		t->ranks[order[i]] = (uint32_t)i;
	t->rank_count = t->frame_count;
	free(order);
}

static int compare_nodes(const struct frame_tree *t, frame_node a, frame_node b)
{
	uint32_t fa = t->nodes[a].frame, fb = t->nodes[b].frame;

	if (fa == fb)
		return 0;
	if (t->rank_count == t->frame_count)
		return t->ranks[fa] < t->ranks[fb] ? -1 : 1;
	return compare_frames(t->frames[fa], t->frames[fb]);
}

int frame_tree_compare(const struct frame_tree *t, frame_node a, frame_node b)
{
	while (a != b) {
		int order;

		if (a == 0 || b == 0)
			return a == 0 ? -1 : 1;
		order = compare_nodes(t, a, b);
		if (order != 0)
			return order;
		a = t->nodes[a].parent;
		b = t->nodes[b].parent;
	}
	return 0;
}
