/*
 * sitetable.c - see sitetable.h. Relies on stack numbers being dense (the index
 * is as long as the largest one). Promises that site numbers never change.
 */
#include "model/sitetable.h"

#include <stdlib.h>

#include <uthash.h>

#include "base/pages.h"
#include "base/xmem.h"

struct site_key {
	uint64_t key;      /* kind << 32 | stack */
	site_id site;
	UT_hash_handle hh;
};

void site_index_release(struct site_index *index)
{
	pages_free(index->of_stack, index->count * sizeof(*index->of_stack));
	*index = (struct site_index){ 0 };
}

void sitetable_release(struct sitetable *t, struct heap *heap)
{
	struct site_key *key, *next;

	HASH_ITER(hh, t->keys, key, next) {
		HASH_DEL(t->keys, key);
		free(key);
	}
	pages_free(heap->sites, t->capacity * sizeof(*heap->sites));
	heap->sites = NULL;
	heap->site_count = 0;
	t->capacity = 0;
	t->empty = 0;
}

static site_id site_append(struct sitetable *t, struct heap *heap, stack_id stack,
			   enum alloc_kind kind)
{
	struct site *site;

	pages_extend(&heap->sites, &t->capacity, heap->site_count, sizeof(*heap->sites));
	site = &heap->sites[heap->site_count];
	site->stack = stack;
	site->kind = (uint8_t)kind;
	return (site_id)heap->site_count++;
}

site_id sitetable_find(struct sitetable *t, struct heap *heap, stack_id stack,
		       enum alloc_kind kind)
{
	uint64_t wanted = (uint64_t)kind << 32 | stack;
	struct site_key *key;

	if (kind == KIND_HEAP && stack != STACK_NONE) {
		pages_extend(&t->index->of_stack, &t->index->count, stack,
			     sizeof(*t->index->of_stack));
		/* nobody's yet: so it has no key either */
		if (t->index->of_stack[stack] == 0) {
			site_id id = site_append(t, heap, stack, kind);

			t->index->of_stack[stack] = id + 1;
			return id;
		}
	}
	if (kind == KIND_HEAP && stack == STACK_NONE) {
		if (!t->empty)
			t->empty = site_append(t, heap, stack, kind) + 1;
		return t->empty - 1;
	}
	HASH_FIND(hh, t->keys, &wanted, sizeof(wanted), key);
	if (key)
		return key->site;
	key = xcalloc(1, sizeof(*key));
	key->key = wanted;
	key->site = site_append(t, heap, stack, kind);
	HASH_ADD(hh, t->keys, key, sizeof(key->key), key);
	return key->site;
}
