/*
 * sitetable.h - from a call stack to its site. An image's sites are an array in
 * struct heap; a stack finds its site by one look into an array that all images
 * share, since stacks of different images never share a node. Only what does
 * not fit that rule (mappings, inherited sites) is hashed.
 */
#ifndef MODEL_SITETABLE_H
#define MODEL_SITETABLE_H

#include "model/replay.h"

#define SITE_NONE UINT32_MAX

/* Site by stack number, KIND_HEAP. One for all images. All zero is an empty one. */
struct site_index {
	uint32_t *of_stack;        /* site + 1; 0: none yet */
	size_t count;
};

struct site_key;

/* All zero but INDEX is an empty table. The sites are heap.sites of HEAP. */
struct sitetable {
	struct site_index *index;
	struct site_key *keys;     /* uthash: what the index cannot hold */
	size_t capacity;           /* of heap.sites */
	uint32_t empty;            /* site + 1 of the empty stack, KIND_HEAP; 0: none yet */
};

void site_index_release(struct site_index *index);

/* Frees the keys and HEAP's sites. */
void sitetable_release(struct sitetable *t, struct heap *heap);

/* The site of STACK and KIND, made where it is new: the slow path of sitetable_get. */
site_id sitetable_find(struct sitetable *t, struct heap *heap, stack_id stack,
		       enum alloc_kind kind);

/* The site of STACK and KIND in HEAP, made where it is new. May move heap.sites. */
static inline site_id sitetable_get(struct sitetable *t, struct heap *heap,
				    stack_id stack, enum alloc_kind kind)
{
	if (stack < t->index->count && kind == KIND_HEAP) {
		/* SITE_NONE, which no site has, where there is none */
		site_id id = t->index->of_stack[stack] - 1;

		/* an index of another image's site is told by its stack */
		if (id < heap->site_count && heap->sites[id].stack == stack &&
		    heap->sites[id].kind == KIND_HEAP)
			return id;
	}
	if (stack == STACK_NONE && kind == KIND_HEAP && t->empty)
		return t->empty - 1;
	return sitetable_find(t, heap, stack, kind);
}

#endif
