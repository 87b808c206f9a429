/*
 * site_lives.h - how long the blocks of each site lived: lifetimes (model) of every heap, fed with
 * the changes of a replay.
 */
#ifndef FORMS_SITE_LIVES_H
#define FORMS_SITE_LIVES_H

#include "model/lifetimes.h"
#include "model/replay.h"

struct heap_lives;

/* All zero is empty. */
struct site_lives {
	struct heap_lives *heaps;
	size_t count, capacity, last;
};

void site_lives_release(struct site_lives *s);

/* What CHANGE (of an event at STAMP) and what fell due with it released. */
void site_lives_note(struct site_lives *s, const struct change *change, uint64_t stamp);

/* The lives of HEAP (as changes name it), by site; empty where nothing was released. */
const struct lifetimes *site_lives_of(struct site_lives *s, const struct heap *heap);

#endif
