/*
 * tree_walk.c - see tree_walk.h. Follows the links of the tree instead of calling itself: a
 * recording can have stacks of thousands of frames.
 */
#include "forms/tree_walk.h"

uint32_t tree_shown(const struct call_tree *t, const struct tree_limits *limits, uint32_t node)
{
	uint32_t shown = call_tree_shown(t, node, limits->least, limits->depth);

	return limits->top && shown > limits->top ? (uint32_t)limits->top : shown;
}

struct tree_rest tree_rest(const struct call_tree *t, const struct tree_limits *limits,
			   uint32_t node)
{
	const struct call_node *n = call_tree_node(t, node);
	uint32_t shown = tree_shown(t, limits, node);
	struct tree_rest rest = { .calls = n->count - shown };

	if (limits->depth && n->depth >= limits->depth)
		rest.calls = 0;
	if (rest.calls == 0)
		return rest;
	rest.amount.blocks = n->total.blocks - n->self.blocks;
	rest.amount.bytes = n->total.bytes - n->self.bytes;
	for (uint32_t i = 0; i < shown; i++) {
		const struct call_node *child = call_tree_node(t, call_tree_child(t, node, i));

		rest.amount.blocks -= child->total.blocks;
		rest.amount.bytes -= child->total.bytes;
	}
	rest.is_small = call_tree_value(t, call_tree_child(t, node, shown)) < limits->least;
	return rest;
}

void tree_walk(const struct call_tree *t, const struct tree_limits *limits,
	       void (*enter)(void *ctx, uint32_t node), void (*leave)(void *ctx, uint32_t node),
	       void *ctx)
{
	uint32_t node = 0;

	for (;;) {
		enter(ctx, node);
		if (tree_shown(t, limits, node) > 0) {
			node = call_tree_child(t, node, 0);
			continue;
		}
		for (;;) {
			const struct call_node *n = call_tree_node(t, node);

			leave(ctx, node);
			if (node == 0)
				return;
			if (n->place + 1 < tree_shown(t, limits, n->parent)) {
				node = call_tree_child(t, n->parent, n->place + 1);
				break;
			}
			node = n->parent;
		}
	}
}
