/*
 * sitetable.c - see sitetable.h. Relies on stack numbers being dense (the index
 * is as long as the largest one). Promises that site numbers never change.
 */
#include "model/sitetable.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/xmem.h"

struct site_key {
	uint64_t key;      /* kind << 32 | stack */
	site_id site;
	UT_hash_handle hh;
};

static void index_extend(struct site_index *index, stack_id stack)
{
	size_t count = index->count ? index->count : 1024;

	while (count <= stack)
		count *= 2;
	index->of_stack = xreallocarray(index->of_stack, count,
					sizeof(*index->of_stack));
	memset(index->of_stack + index->count, 0xff,
	       (count - index->count) * sizeof(*index->of_stack));
	index->count = count;
}

void site_index_release(struct site_index *index)
{
	free(index->of_stack);
	*index = (struct site_index){ 0 };
}

void sitetable_release(struct sitetable *t, struct heap *heap)
{
	struct site_key *key, *next;

	HASH_ITER(hh, t->keys, key, next) {
		HASH_DEL(t->keys, key);
		free(key);
	}
	free(heap->sites);
	heap->sites = NULL;
	heap->site_count = 0;
	t->capacity = 0;
}

static site_id site_append(struct sitetable *t, struct heap *heap, stack_id stack,
			   enum alloc_kind kind)
{
	xgrow(&heap->sites, &t->capacity, heap->site_count, sizeof(*heap->sites));
	heap->sites[heap->site_count] = (struct site){
		.stack = stack,
		.kind = (uint8_t)kind,
	};
	return (site_id)heap->site_count++;
}

site_id sitetable_find(struct sitetable *t, struct heap *heap, stack_id stack,
		       enum alloc_kind kind)
{
	uint64_t wanted = (uint64_t)kind << 32 | stack;
	struct site_key *key;

	HASH_FIND(hh, t->keys, &wanted, sizeof(wanted), key);
	if (key)
		return key->site;
	if (kind == KIND_HEAP && stack != STACK_NONE) {
		if (stack >= t->index->count)
			index_extend(t->index, stack);
		if (t->index->of_stack[stack] == SITE_NONE) {
			t->index->of_stack[stack] = site_append(t, heap, stack, kind);
			return t->index->of_stack[stack];
		}
	}
	key = xcalloc(1, sizeof(*key));
	key->key = wanted;
	key->site = site_append(t, heap, stack, kind);
	HASH_ADD(hh, t->keys, key, sizeof(key->key), key);
	return key->site;
}
