/*
 * sitegroups.c - see sitegroups.h. One pass over the sites adds up, a second one
 * counts the blocks of the size that won the vote.
 */
#include "model/sitegroups.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/xmem.h"
#include "model/heap.h"

struct group_key {
	const char *key;         /* the group's name */
	site_id group;
	UT_hash_handle hh;
};

static void amount_sum(struct amount *to, struct amount a)
{
	to->blocks = sum_saturated(to->blocks, a.blocks);
	to->bytes = sum_saturated(to->bytes, a.bytes);
}

/* Where groups are found while they are made. */
struct group_finder {
	struct group_key *keys[KIND_COUNT];
	site_id last;              /* found last: neighbouring sites often have one name */
	size_t capacity;           /* of sitegroups.items */
};

/* The group of KIND and NAME, made where it is new. May move the groups. */
static site_id group_find(struct sitegroups *g, struct group_finder *f, uint8_t kind,
			 const char *name)
{
	struct group_key *k;

	if (f->last < g->count && g->items[f->last].kind == kind &&
	    strcmp(g->items[f->last].name, name) == 0)
		return f->last;
	HASH_FIND_STR(f->keys[kind], name, k);
	if (k) {
		f->last = k->group;
		return k->group;
	}
	xgrow(&g->items, &f->capacity, g->count, sizeof(*g->items));
	g->items[g->count] = (struct sitegroup){
		.name = xstrdup(name),
		.kind = kind,
	};
	k = xcalloc(1, sizeof(*k));
	k->key = g->items[g->count].name;
	k->group = (site_id)g->count;
	HASH_ADD_KEYPTR(hh, f->keys[kind], k->key, strlen(k->key), k);
	f->last = (site_id)g->count;
	return (site_id)g->count++;
}

static void keys_free(struct group_key *keys)
{
	struct group_key *k, *next;

	HASH_ITER(hh, keys, k, next) {
		HASH_DEL(keys, k);
		free(k);
	}
}

static void group_add(struct sitegroup *to, const struct site *s)
{
	amount_sum(&to->total, s->total);
	amount_sum(&to->peak, s->peak);
	amount_sum(&to->end, s->end);
	amount_sum(&to->temporary, s->temporary);
	amount_sum(&to->moved, s->moved);
	to->reallocs = sum_saturated(to->reallocs, s->reallocs);

	if (to->stack == STACK_NONE || s->peak.bytes > to->best_peak_bytes ||
	    (s->peak.bytes == to->best_peak_bytes &&
	     s->total.bytes > to->best_total_bytes)) {
		to->stack = s->stack;
		to->best_peak_bytes = s->peak.bytes;
		to->best_total_bytes = s->total.bytes;
	}

	if (to->main_votes == 0)
		to->main_size = s->main_size;
	if (to->main_size == s->main_size)
		to->main_votes = sum_saturated(to->main_votes, s->main_votes);
	else if (to->main_votes >= s->main_votes)
		to->main_votes -= s->main_votes;
	else {
		to->main_size = s->main_size;
		to->main_votes = s->main_votes - to->main_votes;
	}
}

struct sitegroups *sitegroups_new(const struct heap *h, const struct site_naming *naming,
				  const struct freed_pages *freed)
{
	struct sitegroups *g = xcalloc(1, sizeof(*g));
	/* as there are no more groups than sites */
	site_id *group_of = xcalloc(h->site_count + 1, sizeof(*group_of));
	struct group_finder f = { .last = 0 };

	for (size_t i = 0; i < h->site_count; i++) {
		const struct site *s = &h->sites[i];
		const char *name = naming && s->stack != STACK_NONE ?
			naming->name(s->stack, s->kind, naming->ctx) : NULL;

		group_of[i] = group_find(g, &f, s->kind,
					 name ? name : "unknown code");
		group_add(&g->items[group_of[i]], s);
	}
	for (size_t i = 0; i < h->site_count; i++) {
		struct sitegroup *to = &g->items[group_of[i]];

		if (h->sites[i].main_size == to->main_size)
			to->main_blocks = sum_saturated(to->main_blocks,
							h->sites[i].main_blocks);
	}
	for (size_t i = 0; freed && i < freed->count; i++) {
		const struct freed_row *row = &freed->rows[i];

		if (row->heap->image == h->image && row->site < h->site_count)
			freed_row_sum(&g->items[group_of[row->site]].large, row);
	}
	free(group_of);
	for (int kind = 0; kind < KIND_COUNT; kind++)
		keys_free(f.keys[kind]);
	return g;
}

void sitegroups_free(struct sitegroups *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->count; i++)
		free(g->items[i].name);
	free(g->items);
	free(g);
}
