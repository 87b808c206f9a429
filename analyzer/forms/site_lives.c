/*
 * site_lives.c - see site_lives.h. A mapping that goes in parts has lived when its last part
 * is gone. With sampling a block counts for those it stands for.
 */
#include "forms/site_lives.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"

struct heap_lives {
	const struct heap *heap;
	struct lifetimes *lives;
};

void site_lives_release(struct site_lives *s)
{
	for (size_t i = 0; i < s->count; i++)
		lifetimes_free(s->heaps[i].lives);
	free(s->heaps);
	memset(s, 0, sizeof(*s));
}

static struct lifetimes *lives_of(struct site_lives *s, const struct heap *heap)
{
	if (s->last < s->count && s->heaps[s->last].heap == heap)
		return s->heaps[s->last].lives;
	for (s->last = 0; s->last < s->count; s->last++)
		if (s->heaps[s->last].heap == heap)
			return s->heaps[s->last].lives;
	xgrow(&s->heaps, &s->capacity, s->count, sizeof(*s->heaps));
	s->heaps[s->count] = (struct heap_lives){ heap, lifetimes_new() };
	return s->heaps[s->count++].lives;
}

void site_lives_note(struct site_lives *s, const struct change *change, uint64_t stamp)
{
	for (const struct change *c = change; c; c = c->also) {
		uint64_t born = c->old.birth_stamp;

		if (!c->released || c->old_is_partial)
			continue;
		lifetimes_add(lives_of(s, c->heap), c->old.site, stamp > born ? stamp - born : 0,
			      c->kind == KIND_HEAP ? replay_weight(c->heap, &c->old).blocks : 1);
	}
}

const struct lifetimes *site_lives_of(struct site_lives *s, const struct heap *heap)
{
	return lives_of(s, heap);
}
