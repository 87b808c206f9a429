/*
 * tree_walk.h - a tree of calls as far as it is worth showing: from the outermost to the
 * innermost, what is too small, too deep or too much left out but never lost.
 */
#ifndef FORMS_TREE_WALK_H
#define FORMS_TREE_WALK_H

#include "forms/call_tree.h"

struct tree_limits {
	uint64_t least;   /* in the metric's unit; what is below is left out */
	uint32_t depth;   /* frames from the root on; 0: all */
	size_t top;       /* calls shown under one; 0: all */
};

/* What is left out under a node. */
struct tree_rest {
	uint32_t calls;
	bool is_small;        /* all of them are below the least value */
	struct amount amount;
};

/* Children of NODE that are shown: the first ones. */
uint32_t tree_shown(const struct call_tree *t, const struct tree_limits *limits, uint32_t node);

/* What is not shown under NODE; 0 calls at the greatest depth: what is deeper is no part of it. */
struct tree_rest tree_rest(const struct call_tree *t, const struct tree_limits *limits,
			   uint32_t node);

/*
 * Call ENTER and LEAVE for the base and every node that is shown, those of its children in
 * between.
 */
void tree_walk(const struct call_tree *t, const struct tree_limits *limits,
	       void (*enter)(void *ctx, uint32_t node), void (*leave)(void *ctx, uint32_t node),
	       void *ctx);

#endif
