/*
 * frame_tree.h - call stacks as people read them: one node for each distinct
 * way through functions and lines, whatever addresses it was made of. Two
 * stacks with the same node print alike; inlined calls are frames of their own.
 *
 * A frame is its function, file and line; without a file, function and object;
 * without a function, object and address in it.
 */
#ifndef FORMS_FRAME_TREE_H
#define FORMS_FRAME_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "symbol/resolve.h"
#include "symbol/wrappers.h"
#include "trace/stacks.h"

struct frame_tree;

/* A call stack: its innermost frame; 0 is the empty one. */
typedef uint32_t frame_node;

/* The arguments must outlive the tree. */
struct frame_tree *frame_tree_new(struct resolver *resolver,
				  const struct wrappers *wrappers,
				  const struct stacks *stacks);
void frame_tree_free(struct frame_tree *t);

/* All frames of STACK. */
frame_node frame_tree_stack(struct frame_tree *t, stack_id stack);

/* STACK from its allocation site outwards (wrappers left out: wrappers_site). */
frame_node frame_tree_site(struct frame_tree *t, stack_id stack, bool is_mapping);

/* frame_tree_cut(frame_tree_site(...), DEPTH), without a look at the frames beyond DEPTH. */
frame_node frame_tree_site_cut(struct frame_tree *t, stack_id stack, bool is_mapping,
			       uint32_t depth);

/* A stack of one frame: STACK's site, outside the C++ standard library (wrappers_user). */
frame_node frame_tree_user(struct frame_tree *t, stack_id stack, bool is_mapping);

/* The innermost DEPTH frames of NODE as a stack of their own; 0: all. */
frame_node frame_tree_cut(struct frame_tree *t, frame_node node, uint32_t depth);

/* The caller of NODE, 0 where it is the outermost. */
frame_node frame_tree_parent(const struct frame_tree *t, frame_node node);

/* The frame of NODE; NULL for 0. Belongs to the resolver. */
const struct symbol_frame *frame_tree_frame(const struct frame_tree *t,
					    frame_node node);

/* Whether the compiler put the call of NODE into its caller (of alike ones: any). */
bool frame_tree_is_inlined(const struct frame_tree *t, frame_node node);

/* Frames from NODE to the outermost. */
uint32_t frame_tree_depth(const struct frame_tree *t, frame_node node);

/* Prepare for many calls of frame_tree_compare: numbers the frames in their order. */
void frame_tree_rank(struct frame_tree *t);

/* An order of stacks by what they print, innermost frame first; for strcmp-like use. */
int frame_tree_compare(const struct frame_tree *t, frame_node a, frame_node b);

#endif
