/*
 * call_tree.c - see call_tree.h. Sites that read alike are put together first (rows), then
 * the nodes are made: top-down along the tree of frames, each of whose nodes is looked at
 * once; bottom-up level by level, so that what is too small is known before its callers
 * are looked at.
 */
#include "forms/call_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/idmap.h"
#include "base/xmem.h"

struct row {
	frame_node frame;     /* bottom-up: moves outwards while levels are made */
	uint32_t node;        /* the root; while nodes are made: the node reached */
	struct amount amount;
};

struct call_tree {
	struct frame_tree *frames;
	struct call_tree_options options;
	struct row *rows;
	size_t row_count, row_capacity;
	struct idmap row_index;     /* root, frame -> row + 1 */
	struct amount total;
	struct call_node *nodes;
	size_t node_count, node_capacity;
	struct idmap children;      /* parent, group (0: no frame) -> node */
	uint32_t *order;            /* children of each node, one after another */
	frame_node *groups;         /* [0] unused: a frame of each group */
	size_t group_count, group_capacity;
	struct idmap by_frame;      /* address of a frame -> group */
	struct idmap by_content;    /* hash -> group */
};

static void add(struct amount *to, struct amount from)
{
	to->blocks += from.blocks;
	to->bytes += from.bytes;
}

struct call_tree *call_tree_new(struct frame_tree *frames, const struct call_tree_options *options)
{
	struct call_tree *t = xcalloc(1, sizeof(*t));

	t->frames = frames;
	t->options = *options;
	xgrow(&t->nodes, &t->node_capacity, 0, sizeof(*t->nodes));
	t->nodes[t->node_count++] = (struct call_node){ 0 };
	xgrow(&t->groups, &t->group_capacity, 0, sizeof(*t->groups));
	t->groups[t->group_count++] = 0;
	return t;
}

void call_tree_free(struct call_tree *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->node_count; i++)
		free(t->nodes[i].label);
	idmap_release(&t->row_index);
	idmap_release(&t->children);
	idmap_release(&t->by_frame);
	idmap_release(&t->by_content);
	free(t->rows);
	free(t->nodes);
	free(t->order);
	free(t->groups);
	free(t);
}

uint32_t call_tree_root(struct call_tree *t, uint32_t parent, char *label,
			const struct image *image)
{
	xgrow(&t->nodes, &t->node_capacity, t->node_count, sizeof(*t->nodes));
	t->nodes[t->node_count] = (struct call_node){
		.parent = parent,
		.label = label,
		.image = image,
	};
	return (uint32_t)t->node_count++;
}

void call_tree_add(struct call_tree *t, uint32_t root, const struct heap *heap,
		   enum alloc_kind kind)
{
	for (size_t i = 0; i < heap->site_count; i++) {
		const struct site *site = &heap->sites[i];
		struct amount amount = metric_amount(site, t->options.metric);
		frame_node frame;
		uint32_t at;

		if (site->kind != kind || (amount.blocks == 0 && amount.bytes == 0))
			continue;
		frame = frame_tree_site(t->frames, site->stack, kind == KIND_MAPPING);
		at = idmap_add(&t->row_index, (uint64_t)root << 32 | frame,
			       (uint32_t)t->row_count + 1) - 1;
		if (at == t->row_count) {
			xgrow(&t->rows, &t->row_capacity, t->row_count, sizeof(*t->rows));
			t->rows[t->row_count++] = (struct row){ .frame = frame, .node = root };
		}
		add(&t->rows[at].amount, amount);
		add(&t->total, amount);
	}
}

struct amount call_tree_total(const struct call_tree *t)
{
	return t->total;
}

/* ---- frames that count as one ---- */

static uint64_t hash_text(uint64_t sum, const char *text)
{
	for (; text && *text; text++)
		sum = (sum ^ (uint8_t)*text) * 0x100000001b3u;
	return (sum ^ 0xff) * 0x100000001b3u;
}

/* A function is its name and file; without a file, name and object; without a name, a place. */
static uint64_t hash_function(const struct symbol_frame *f)
{
	uint64_t sum = hash_text(0xcbf29ce484222325u, f->function);

	sum = hash_text(sum, f->function && f->file ? f->file : f->module);
	return f->function ? sum : sum + f->offset * 0x9e3779b97f4a7c15u;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_function(const struct symbol_frame *a, const struct symbol_frame *b)
{
	if (!same_text(a->function, b->function))
		return false;
	if (!a->function)
		return same_text(a->module, b->module) && a->offset == b->offset;
	if (!a->file || !b->file)
		return !a->file && !b->file && same_text(a->module, b->module);
	return same_text(a->file, b->file);
}

static uint32_t new_group(struct call_tree *t, frame_node frame)
{
	xgrow(&t->groups, &t->group_capacity, t->group_count, sizeof(*t->groups));
	t->groups[t->group_count] = frame;
	return (uint32_t)t->group_count++;
}

/* The group of FRAME, which is not 0. The tree of frames has one address for equal frames. */
static uint32_t group_of(struct call_tree *t, frame_node frame)
{
	const struct symbol_frame *f = frame_tree_frame(t->frames, frame);
	uint64_t key = (uint64_t)(uintptr_t)f;
	uint32_t group = idmap_find(&t->by_frame, key);

	if (group)
		return group;
	if (t->options.by_line)
		return idmap_add(&t->by_frame, key, new_group(t, frame));
	/* two functions with one hash: the next hash is tried */
	for (uint64_t hash = hash_function(f); ; hash++) {
		group = idmap_find(&t->by_content, hash);
		if (!group) {
			group = idmap_add(&t->by_content, hash, new_group(t, frame));
			break;
		}
		if (same_function(frame_tree_frame(t->frames, t->groups[group]), f))
			break;
	}
	return idmap_add(&t->by_frame, key, group);
}

/* ---- nodes ---- */

/* The child of PARENT for FRAME, 0: for stacks without a frame. */
static uint32_t child_of(struct call_tree *t, uint32_t parent, frame_node frame)
{
	uint32_t group = frame ? group_of(t, frame) : 0;
	uint32_t id = idmap_add(&t->children, (uint64_t)parent << 32 | group,
				(uint32_t)t->node_count);

	if (id == t->node_count) {
		xgrow(&t->nodes, &t->node_capacity, t->node_count, sizeof(*t->nodes));
		t->nodes[t->node_count++] = (struct call_node){
			.parent = parent,
			.depth = t->nodes[parent].depth + 1,
			.frame = frame ? t->groups[group] : 0,
			.image = t->nodes[parent].image,
		};
	}
	if (frame && frame_tree_is_inlined(t->frames, frame))
		t->nodes[id].is_inlined = true;
	return id;
}

/* Parents have lower numbers than their children, so one pass from the end adds all up. */
static void sum_up(struct call_tree *t)
{
	for (size_t i = t->node_count; i-- > 0; ) {
		struct call_node *n = &t->nodes[i];

		add(&n->total, n->self);
		if (i > 0)
			add(&t->nodes[n->parent].total, n->total);
	}
}

static void build_top_down(struct call_tree *t)
{
	struct idmap reached = { 0 };  /* root, frame -> node */
	frame_node *path = NULL;
	size_t capacity = 0;

	for (size_t i = 0; i < t->row_count; i++) {
		uint64_t root = (uint64_t)t->rows[i].node << 32;
		uint32_t node = t->rows[i].node, known = 0;
		frame_node frame = t->rows[i].frame;
		size_t depth = 0;

		if (!frame)
			node = child_of(t, node, 0);
		/* up to the first caller that is known, then down again */
		while (frame && !(known = idmap_find(&reached, root | frame))) {
			xgrow(&path, &capacity, depth, sizeof(*path));
			path[depth++] = frame;
			frame = frame_tree_parent(t->frames, frame);
		}
		if (known)
			node = known;
		while (depth > 0) {
			node = child_of(t, node, path[--depth]);
			idmap_add(&reached, root | path[depth], node);
		}
		add(&t->nodes[node].self, t->rows[i].amount);
	}
	free(path);
	idmap_release(&reached);
	sum_up(t);
}

static void build_bottom_up(struct call_tree *t, uint64_t least, uint32_t depth)
{
	size_t count = t->row_count;
	uint32_t level = 0;

	for (size_t i = 0; i < t->node_count; i++)
		t->nodes[i].total = (struct amount){ 0, 0 };
	for (size_t i = 0; i < count; i++)
		for (uint32_t n = t->rows[i].node; ; n = t->nodes[n].parent) {
			add(&t->nodes[n].total, t->rows[i].amount);
			if (n == 0)
				break;
		}
	while (count > 0) {
		size_t kept = 0;

		level++;
		for (size_t i = 0; i < count; i++) {
			struct row *row = &t->rows[i];

			row->node = child_of(t, row->node, row->frame);
			add(&t->nodes[row->node].total, row->amount);
			row->frame = row->frame ? frame_tree_parent(t->frames, row->frame) : 0;
			if (!row->frame)
				add(&t->nodes[row->node].self, row->amount);
		}
		/* the totals of this level are known now: which of its rows go on? */
		for (size_t i = 0; i < count; i++) {
			struct row *row = &t->rows[i];

			if (!row->frame)
				continue;
			if (call_tree_value(t, row->node) < least || level == depth)
				t->nodes[row->node].has_more = true;
			else
				t->rows[kept++] = *row;
		}
		count = kept;
	}
	t->row_count = 0;
}

static int compare_children(const void *pa, const void *pb, void *ctx)
{
	const struct call_tree *t = ctx;
	uint32_t ia = *(const uint32_t *)pa, ib = *(const uint32_t *)pb;
	const struct call_node *a = &t->nodes[ia], *b = &t->nodes[ib];
	uint64_t va = call_tree_value(t, ia), vb = call_tree_value(t, ib);

	/* roots stand as they were made: processes by their start */
	if (a->label || b->label)
		return !a->label ? 1 : !b->label ? -1 : ia < ib ? -1 : ia > ib;
	if (va != vb)
		return va > vb ? -1 : 1;
	return frame_tree_compare(t->frames, a->frame, b->frame);
}

/* The children of each node in order. */
static void order_children(struct call_tree *t)
{
	uint32_t place = 0;

	t->order = xcalloc(t->node_count + 1, sizeof(*t->order));
	for (size_t i = 1; i < t->node_count; i++)
		t->nodes[t->nodes[i].parent].count++;
	for (size_t i = 0; i < t->node_count; i++) {
		t->nodes[i].first = place;
		place += t->nodes[i].count;
		t->nodes[i].count = 0;
	}
	for (size_t i = 1; i < t->node_count; i++) {
		struct call_node *parent = &t->nodes[t->nodes[i].parent];

		t->order[parent->first + parent->count++] = (uint32_t)i;
	}
	frame_tree_rank(t->frames);
	for (size_t i = 0; i < t->node_count; i++) {
		struct call_node *n = &t->nodes[i];

		if (n->count > 1)
			qsort_r(t->order + n->first, n->count, sizeof(*t->order),
				compare_children, t);
		for (uint32_t c = 0; c < n->count; c++)
			t->nodes[t->order[n->first + c]].place = c;
	}
}

void call_tree_build(struct call_tree *t, uint64_t least, uint32_t depth)
{
	if (t->options.is_bottom_up)
		build_bottom_up(t, least, depth);
	else
		build_top_down(t);
	order_children(t);
}

size_t call_tree_count(const struct call_tree *t)
{
	return t->node_count;
}

const struct call_node *call_tree_node(const struct call_tree *t, uint32_t node)
{
	return &t->nodes[node];
}

uint32_t call_tree_child(const struct call_tree *t, uint32_t node, uint32_t i)
{
	return t->order[t->nodes[node].first + i];
}

struct amount call_tree_own(const struct call_tree *t, uint32_t node, uint32_t depth)
{
	const struct call_node *n = &t->nodes[node];

	return depth && n->depth == depth ? n->total : n->self;
}

uint64_t call_tree_value(const struct call_tree *t, uint32_t node)
{
	return metric_of(t->nodes[node].total, t->options.metric);
}

static bool is_shown(const struct call_tree *t, uint32_t node, uint64_t least, uint32_t depth)
{
	return t->nodes[node].label ||
	       (call_tree_value(t, node) >= least && (depth == 0 || t->nodes[node].depth <= depth));
}

uint32_t call_tree_next(const struct call_tree *t, uint32_t node, uint64_t least, uint32_t depth)
{
	const struct call_node *n = &t->nodes[node];

	if (n->count > 0 && is_shown(t, t->order[n->first], least, depth))
		return t->order[n->first];
	for (; node != 0; node = t->nodes[node].parent) {
		const struct call_node *parent = &t->nodes[t->nodes[node].parent];
		uint32_t next = t->nodes[node].place + 1;

		if (next < parent->count && is_shown(t, t->order[parent->first + next], least, depth))
			return t->order[parent->first + next];
	}
	return 0;
}

uint32_t call_tree_shown(const struct call_tree *t, uint32_t node, uint64_t least, uint32_t depth)
{
	const uint32_t *order = t->order + t->nodes[node].first;
	uint32_t low = 0, high = t->nodes[node].count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (is_shown(t, order[middle], least, depth))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct symbol_frame *call_tree_frame(const struct call_tree *t, uint32_t node)
{
	return t->nodes[node].frame ? frame_tree_frame(t->frames, t->nodes[node].frame) : NULL;
}
