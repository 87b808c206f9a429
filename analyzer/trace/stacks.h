/*
 * stacks.h - the tree of call stacks, built while segments are decoded. A call
 * stack is the number of its innermost node; its parent is the caller. Node
 * numbers are dense from 1 and stable; STACK_NONE (0) is the empty stack.
 * Stacks of different images never share a node.
 */
#ifndef TRACE_STACKS_H
#define TRACE_STACKS_H

#include <stdint.h>

#include "record_codec.h"

typedef uint32_t stack_id;
#define STACK_NONE 0u

struct stack_node {
	stack_id parent;
	uint32_t image;
	uint64_t value;      /* pc to look up, or enum frame_special */
	uint64_t stamp;      /* first seen: decides which module the pc belongs to */
	uint32_t depth;      /* frames, 1 for an outermost one */
	uint8_t type;        /* enum frame_type */
	uint16_t generation; /* how many modules had been at this pc before */
};

struct stacks;

struct stacks *stacks_new(void);
void stacks_free(struct stacks *s);

/* The child of PARENT in IMAGE for FRAME, made where it is new. */
stack_id stacks_child(struct stacks *s, stack_id parent, uint32_t image,
		      struct frame frame, uint64_t stamp);

/*
 * The same for a pc where GENERATION modules were mapped and unmapped before STAMP:
 * equal addresses of different code are different frames.
 */
stack_id stacks_child_of(struct stacks *s, stack_id parent, uint32_t image,
			 struct frame frame, uint64_t stamp, uint16_t generation);

/* The node of ID (not STACK_NONE); valid until the next stacks_child. */
const struct stack_node *stacks_node(const struct stacks *s, stack_id id);

/* Numbers handed out so far: ids are 1 .. count. */
uint32_t stacks_count(const struct stacks *s);

#endif
