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
	char *key;               /* kind, then the name */
	size_t group;
	UT_hash_handle hh;
};

static void amount_sum(struct amount *to, struct amount a)
{
	to->blocks = sum_saturated(to->blocks, a.blocks);
	to->bytes = sum_saturated(to->bytes, a.bytes);
}

/* The group of KIND and NAME, made where it is new. May move the groups. */
static size_t group_find(struct sitegroups *g, size_t *capacity,
			 struct group_key **keys, uint8_t kind, const char *name)
{
	char *text = xasprintf("%d%s", kind, name);
	struct group_key *k;

	HASH_FIND_STR(*keys, text, k);
	if (k) {
		free(text);
		return k->group;
	}
	k = xcalloc(1, sizeof(*k));
	k->key = text;
	k->group = g->count;
	HASH_ADD_KEYPTR(hh, *keys, k->key, strlen(k->key), k);
	xgrow(&g->items, capacity, g->count, sizeof(*g->items));
	g->items[g->count++] = (struct sitegroup){
		.name = xstrdup(name),
		.kind = kind,
	};
	return k->group;
}

static void keys_free(struct group_key *keys)
{
	struct group_key *k, *next;

	HASH_ITER(hh, keys, k, next) {
		HASH_DEL(keys, k);
		free(k->key);
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

struct sitegroups *sitegroups_new(const struct heap *h, const struct site_naming *naming)
{
	struct sitegroups *g = xcalloc(1, sizeof(*g));
	size_t *group_of = xcalloc(h->site_count + 1, sizeof(*group_of));
	struct group_key *keys = NULL;
	size_t capacity = 0;

	for (size_t i = 0; i < h->site_count; i++) {
		const struct site *s = &h->sites[i];
		const char *name = naming && s->stack != STACK_NONE ?
			naming->name(s->stack, s->kind, naming->ctx) : NULL;

		group_of[i] = group_find(g, &capacity, &keys, s->kind,
					 name ? name : "unknown code");
		group_add(&g->items[group_of[i]], s);
	}
	for (size_t i = 0; i < h->site_count; i++) {
		struct sitegroup *to = &g->items[group_of[i]];

		if (h->sites[i].main_size == to->main_size)
			to->main_blocks = sum_saturated(to->main_blocks,
							h->sites[i].main_blocks);
	}
	free(group_of);
	keys_free(keys);
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
