/*
 * stacks.c - the tree of call stacks. A child is found by an open-addressing
 * table (linear probing, power of two, at most half full) that holds node
 * numbers beside 32 bits of their hash, so that a miss does not touch the nodes. Own
 * code: every pushed frame of every event passes here.
 */
#include "trace/stacks.h"

#include <stdlib.h>

#include "base/xmem.h"

#define FIRST_SLOTS 4096u

struct slot {
	stack_id id;      /* STACK_NONE: empty */
	uint32_t hash;
};

struct stacks {
	struct stack_node *nodes;  /* [0] stands for the empty stack */
	size_t capacity;
	uint32_t count;            /* ids handed out */
	struct slot *slots;
	uint32_t mask;             /* slots - 1 */
};

struct stacks *stacks_new(void)
{
	struct stacks *s = xcalloc(1, sizeof(*s));

	xgrow(&s->nodes, &s->capacity, 1, sizeof(*s->nodes));
	s->nodes[0] = (struct stack_node){ 0 };
	s->slots = xcalloc(FIRST_SLOTS, sizeof(*s->slots));
	s->mask = FIRST_SLOTS - 1;
	return s;
}

void stacks_free(struct stacks *s)
{
	if (!s)
		return;
	free(s->nodes);
	free(s->slots);
	free(s);
}

static uint32_t hash_of(stack_id parent, uint32_t image, struct frame frame,
			uint16_t generation)
{
	uint64_t h = frame.value ^ ((uint64_t)frame.type << 62) ^ ((uint64_t)generation << 48);

	/* multiply and fold: the constants are those of splitmix64 */
	h = (h ^ ((uint64_t)parent << 32 | image)) * 0xbf58476d1ce4e5b9u;
	h = (h ^ h >> 29 ^ parent) * 0x94d049bb133111ebu;
	return (uint32_t)(h >> 32);
}

static void double_slots(struct stacks *s)
{
	uint32_t mask = s->mask * 2 + 1;
	struct slot *slots = xcalloc((size_t)mask + 1, sizeof(*slots));

	for (size_t i = 0; i <= s->mask; i++) {
		uint32_t at = s->slots[i].hash & mask;

		if (s->slots[i].id == STACK_NONE)
			continue;
		while (slots[at].id != STACK_NONE)
			at = (at + 1) & mask;
		slots[at] = s->slots[i];
	}
	free(s->slots);
	s->slots = slots;
	s->mask = mask;
}

static stack_id new_node(struct stacks *s, stack_id parent, uint32_t image,
			 struct frame frame, uint64_t stamp, uint16_t generation)
{
	stack_id id = ++s->count;

	xgrow(&s->nodes, &s->capacity, id, sizeof(*s->nodes));
	s->nodes[id] = (struct stack_node){
		.parent = parent, .image = image, .value = frame.value,
		.stamp = stamp, .depth = s->nodes[parent].depth + 1, .type = frame.type,
		.generation = generation,
	};
	return id;
}

stack_id stacks_child(struct stacks *s, stack_id parent, uint32_t image,
		      struct frame frame, uint64_t stamp)
{
	return stacks_child_of(s, parent, image, frame, stamp, 0);
}

stack_id stacks_child_of(struct stacks *s, stack_id parent, uint32_t image,
			 struct frame frame, uint64_t stamp, uint16_t generation)
{
	uint32_t hash = hash_of(parent, image, frame, generation);
	uint32_t at = hash & s->mask;

	while (s->slots[at].id != STACK_NONE) {
		const struct stack_node *n = &s->nodes[s->slots[at].id];

		if (s->slots[at].hash == hash && n->parent == parent &&
		    n->value == frame.value && n->type == frame.type && n->image == image &&
		    n->generation == generation)
			return s->slots[at].id;
		at = (at + 1) & s->mask;
	}
	/* 2^30 stacks take 32 GiB of nodes: what is beyond shares its parent's */
	if (s->count >= 1u << 30)
		return parent;
	s->slots[at].id = new_node(s, parent, image, frame, stamp, generation);
	s->slots[at].hash = hash;
	if (s->count > s->mask / 2)
		double_slots(s);
	return s->count;
}

const struct stack_node *stacks_node(const struct stacks *s, stack_id id)
{
	return &s->nodes[id];
}

uint32_t stacks_count(const struct stacks *s)
{
	return s->count;
}
