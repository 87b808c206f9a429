/*
 * call_tree.h - what sites allocated, added up along their call stacks: the tree of calls from
 * the outermost function inwards (top-down), or from the allocation sites outwards to their
 * callers (bottom-up). Wrappers of the allocator are left out.
 *
 * The tree has a base (node 0), under it roots (a process, a kind of memory, nothing at
 * all) as the form makes them, and under these the frames. For every node
 *
 *	total = self + the sum over its children of total
 *
 * self: top-down what the function itself asked for, bottom-up what was asked for by stacks
 * that end there. Children are in order: most first, ties by name.
 */
#ifndef FORMS_CALL_TREE_H
#define FORMS_CALL_TREE_H

#include "forms/form.h"
#include "forms/frame_tree.h"
#include "forms/metric.h"

struct call_node {
	uint32_t parent;      /* 0 for the base too */
	uint32_t first;       /* private: place of the first child in the order */
	uint32_t count;       /* children */
	uint32_t place;       /* among the children of its parent, from 0 */
	uint32_t depth;       /* frames from its root on: 1 for the first; 0: base or root */
	frame_node frame;     /* 0: base, root, or stacks without a frame */
	char *label;          /* of a root; NULL for frames */
	const struct image *image; /* whose memory it is; NULL: the base, or of several */
	bool is_inlined;
	bool has_more;        /* bottom-up: it has callers that were left out (call_tree_build) */
	struct amount self, total;
};

struct call_tree_options {
	enum metric metric;
	bool is_bottom_up;
	bool by_line;         /* else the lines of one function are one frame */
};

struct call_tree;

/* FRAMES must outlive the tree. */
struct call_tree *call_tree_new(struct frame_tree *frames,
				const struct call_tree_options *options);
void call_tree_free(struct call_tree *t);

/* A new root under PARENT (0, or another root); LABEL is taken over (malloc'ed). */
uint32_t call_tree_root(struct call_tree *t, uint32_t parent, char *label,
			const struct image *image);

/* The sites of KIND of HEAP go under ROOT (0: under the base). */
void call_tree_add(struct call_tree *t, uint32_t root, const struct heap *heap,
		   enum alloc_kind kind);

/* Sum over all that was added, before or after call_tree_build. */
struct amount call_tree_total(const struct call_tree *t);

/*
 * Make the nodes. Bottom-up the callers of a node are left out where it is below LEAST (in
 * the metric's unit; 0: none is), or DEPTH frames away from its root (0: no limit): a program
 * with millions of call stacks has billions of such nodes. Top-down there are never more
 * than call stacks, and nothing is left out. Once.
 */
void call_tree_build(struct call_tree *t, uint64_t least, uint32_t depth);

/* Nodes, the base included: numbers are below it. */
size_t call_tree_count(const struct call_tree *t);

/* NODE's figures; valid until the tree is freed. */
const struct call_node *call_tree_node(const struct call_tree *t, uint32_t node);

/* The child number I (from 0) of NODE. */
uint32_t call_tree_child(const struct call_tree *t, uint32_t node, uint32_t i);

/* What NODE itself asked for; where it is DEPTH (not 0) deep, all under it as well. */
struct amount call_tree_own(const struct call_tree *t, uint32_t node, uint32_t depth);

/* Its total in the metric's unit. */
uint64_t call_tree_value(const struct call_tree *t, uint32_t node);

/*
 * The node after NODE where all are visited from the base on, parents before children;
 * 0: NODE was the last. Nodes below LEAST (roots never are) and, unless it is 0, deeper than DEPTH
 * are passed over with all under them.
 */
uint32_t call_tree_next(const struct call_tree *t, uint32_t node, uint64_t least, uint32_t depth);

/* Children of NODE that call_tree_next visits: they are the first ones. */
uint32_t call_tree_shown(const struct call_tree *t, uint32_t node, uint64_t least, uint32_t depth);

/* The frame; NULL: base, root, no call stack. Without by_line its line is that of one of them. */
const struct symbol_frame *call_tree_frame(const struct call_tree *t, uint32_t node);

#endif
