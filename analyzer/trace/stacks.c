/*
 * stacks.c - the tree of call stacks. Own code: every pushed frame of every event
 * passes here. A node's children hang on it in a list, the last used in front:
 * most nodes have a few, and a walk through the program makes them neighbours in
 * memory. Where a node gets more than LIST_MAX its children are also entered in a
 * hash table of all wide nodes (linear probing, power of two, at most half full,
 * 32 bits of the hash beside the number so that a miss does not touch the nodes),
 * and only the last used one is still tried first.
 */
#include "trace/stacks.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/pages.h"
#include "base/xmem.h"

#define FIRST_SLOTS 1024u
#define LIST_MAX 8
/* In node.child: the children are in the table. Numbers end below it. */
#define WIDE (1u << 31)
#define COUNT_MAX (1u << 30)

struct node {
	struct stack_node public;
	stack_id child;    /* first of the list; of a wide node, ored with WIDE: the last used */
	stack_id sibling;  /* next of the list */
};

struct slot {
	stack_id id;      /* STACK_NONE: empty */
	uint32_t hash;
};

struct stacks {
	struct node *nodes;        /* [0] stands for the empty stack */
	size_t capacity;
	uint32_t count;            /* ids handed out */
	struct slot *slots;        /* NULL: no node is wide */
	uint32_t mask;             /* slots - 1 */
	uint32_t used;             /* slots */
};

struct stacks *stacks_new(void)
{
	struct stacks *s = xcalloc(1, sizeof(*s));

	pages_extend(&s->nodes, &s->capacity, 0, sizeof(*s->nodes));
	return s;
}

static size_t slots_bytes(const struct stacks *s)
{
	return s->slots ? ((size_t)s->mask + 1) * sizeof(*s->slots) : 0;
}

void stacks_free(struct stacks *s)
{
	if (!s)
		return;
	pages_free(s->nodes, s->capacity * sizeof(*s->nodes));
	pages_free(s->slots, slots_bytes(s));
	free(s);
}

/* What tells the children of one parent apart. */
struct edge {
	uint64_t value;
	uint32_t image;
	uint8_t type;
	uint16_t generation;
};

static inline bool is_edge(const struct node *n, const struct edge *e)
{
	const struct stack_node *p = &n->public;

	return p->value == e->value && p->type == e->type && p->image == e->image &&
	       p->generation == e->generation;
}

/* ---- wide nodes ---- */

static uint32_t hash_of(stack_id parent, const struct edge *e)
{
	uint64_t h = e->value ^ ((uint64_t)e->type << 62) ^ ((uint64_t)e->generation << 48);

	/* multiply and fold: the constants are those of splitmix64 */
	h = (h ^ ((uint64_t)parent << 32 | e->image)) * 0xbf58476d1ce4e5b9u;
	h = (h ^ h >> 29 ^ parent) * 0x94d049bb133111ebu;
	return (uint32_t)(h >> 32);
}

static void slot_put(struct slot *slots, uint32_t mask, struct slot slot)
{
	uint32_t at = slot.hash & mask;

	while (slots[at].id != STACK_NONE)
		at = (at + 1) & mask;
	slots[at] = slot;
}

static void double_slots(struct stacks *s)
{
	uint32_t mask = s->slots ? s->mask * 2 + 1 : FIRST_SLOTS - 1;
	struct slot *slots = pages_new(((size_t)mask + 1) * sizeof(*slots));

	for (size_t i = 0; s->slots && i <= s->mask; i++)
		if (s->slots[i].id != STACK_NONE)
			slot_put(slots, mask, s->slots[i]);
	pages_free(s->slots, slots_bytes(s));
	s->slots = slots;
	s->mask = mask;
}

static void enter(struct stacks *s, stack_id id, uint32_t hash)
{
	if (!s->slots || s->used >= s->mask / 2)
		double_slots(s);
	s->used++;
	slot_put(s->slots, s->mask, (struct slot){ id, hash });
}

static stack_id look_up(const struct stacks *s, stack_id parent,
			const struct edge *e, uint32_t hash)
{
	uint32_t at = hash & s->mask;

	while (s->slots[at].id != STACK_NONE) {
		const struct node *n = &s->nodes[s->slots[at].id];

		if (s->slots[at].hash == hash && n->public.parent == parent &&
		    is_edge(n, e))
			return s->slots[at].id;
		at = (at + 1) & s->mask;
	}
	return STACK_NONE;
}

static void become_wide(struct stacks *s, stack_id parent)
{
	struct node *p = &s->nodes[parent];

	for (stack_id id = p->child; id != STACK_NONE; id = s->nodes[id].sibling) {
		const struct stack_node *n = &s->nodes[id].public;
		const struct edge e = { n->value, n->image, n->type, n->generation };

		enter(s, id, hash_of(parent, &e));
	}
	p->child |= WIDE;
}

/* ---- children ---- */

/* A node that hangs nowhere yet. */
static inline stack_id new_node(struct stacks *s, stack_id parent,
				const struct edge *e, uint64_t stamp)
{
	stack_id id = ++s->count;

	if (__builtin_expect(id >= s->capacity, 0))
		pages_extend(&s->nodes, &s->capacity, id, sizeof(*s->nodes));
	s->nodes[id].public = (struct stack_node){
		.parent = parent, .image = e->image, .value = e->value, .stamp = stamp,
		.depth = s->nodes[parent].public.depth + 1, .type = e->type,
		.generation = e->generation,
	};
	return id;
}

static __attribute__((noinline)) stack_id wide_child(struct stacks *s, stack_id parent,
						     const struct edge *e,
						     uint64_t stamp)
{
	stack_id id = s->nodes[parent].child & ~WIDE;
	uint32_t hash;

	if (is_edge(&s->nodes[id], e))
		return id;
	hash = hash_of(parent, e);
	id = look_up(s, parent, e, hash);
	if (id == STACK_NONE) {
		if (s->count >= COUNT_MAX)
			return parent;
		id = new_node(s, parent, e, stamp);
		enter(s, id, hash);
	}
	s->nodes[parent].child = id | WIDE;
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
	const struct edge e = { frame.value, image, frame.type, generation };
	stack_id first = s->nodes[parent].child, last = STACK_NONE;
	unsigned length = 0;
	stack_id id;

	if (__builtin_expect(first & WIDE, 0))
		return wide_child(s, parent, &e, stamp);
	for (id = first; id != STACK_NONE; id = s->nodes[id].sibling) {
		if (is_edge(&s->nodes[id], &e)) {
			if (last == STACK_NONE)
				return id;
			s->nodes[last].sibling = s->nodes[id].sibling;
			goto found;
		}
		last = id;
		length++;
	}
	/* the largest recordings: what is beyond shares its parent's number */
	if (s->count >= COUNT_MAX)
		return parent;
	if (length == LIST_MAX) {
		become_wide(s, parent);
		return wide_child(s, parent, &e, stamp);
	}
	id = new_node(s, parent, &e, stamp);
found:
	s->nodes[id].sibling = first;
	s->nodes[parent].child = id;
	return id;
}

const struct stack_node *stacks_node(const struct stacks *s, stack_id id)
{
	return &s->nodes[id].public;
}

uint32_t stacks_count(const struct stacks *s)
{
	return s->count;
}
