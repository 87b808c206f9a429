/*
 * inherit.c - see inherit.h. Relies on the parent's table, its graves and birth
 * stamps: a block belonged to a parent at the fork if it was born by then and
 * was not released by then. Promises that memory is bounded by the budget, by
 * INHERIT_BURIED_MAX and by what the children themselves touch.
 */
#include "model/inherit.h"

#include <stdlib.h>

#include <uthash.h>

#include "base/xmem.h"

struct grave {
	uint64_t addr;
	uint32_t latest;  /* index + 1 in dead */
	UT_hash_handle hh;
};

static struct inheritance *inheritance_of(struct heap_state *h)
{
	if (!h->inheritance) {
		h->inheritance = xcalloc(1, sizeof(*h->inheritance));
		h->inheritance->nameless = SITE_NONE;
	}
	return h->inheritance;
}

static void graves_clear(struct inheritance *in)
{
	struct grave *g, *next;

	HASH_ITER(hh, in->graves, g, next) {
		HASH_DEL(in->graves, g);
		free(g);
	}
	free(in->dead);
	in->dead = NULL;
	in->dead_count = in->dead_capacity = 0;
}

void inherit_release(struct heap_state *h)
{
	if (!h->inheritance)
		return;
	graves_clear(h->inheritance);
	blocktable_release(&h->inheritance->gone);
	free(h->inheritance);
	h->inheritance = NULL;
}

/* ---- the fork ---- */

/* The child's site for site FROM of the image that owns it. */
static site_id site_translate(struct heap_state *child,
			      const struct heap_state *owner, site_id from)
{
	const struct site *s = &owner->public.sites[from];

	if (child->inheritance->nameless != SITE_NONE && s->kind == KIND_HEAP)
		return child->inheritance->nameless;
	return heap_site(child, s->stack, s->kind);
}

struct translation { struct heap_state *child; const struct heap_state *owner; };

static site_id mapping_site(site_id from, void *ctx)
{
	const struct translation *t = ctx;

	return site_translate(t->child, t->owner, from);
}

static void amount_inherit(struct amount *to, const struct amount *from)
{
	to->blocks += from->blocks;
	to->bytes += from->bytes;
}

/* Returns false where the mappings do not fit into the budget. */
static bool fork_mappings(struct heap_state *child, struct heap_state *parent,
			  struct inherit_budget *spent)
{
	struct translation t = { child, parent };

	if (child->mappings.count ||
	    parent->mappings.count > INHERIT_MAPPINGS_MAX - spent->mappings)
		return false;
	spent->mappings += parent->mappings.count;
	mappings_copy(&child->mappings, &parent->mappings, mapping_site, &t);
	amount_inherit(&child->public.mapped_live, &parent->public.mapped_live);
	return true;
}

static void fork_sites(struct heap_state *child, struct heap_state *parent,
		       struct inherit_budget *spent)
{
	const struct heap *p = &parent->public;
	struct inheritance *in = child->inheritance;
	bool has_mappings;
	size_t count = 0;

	for (size_t i = 0; i < p->site_count; i++)
		count += p->sites[i].live.blocks != 0;
	if (count > INHERIT_SITES_MAX - spent->sites)
		in->nameless = heap_site(child, STACK_NONE, KIND_HEAP);
	else
		spent->sites += count;
	has_mappings = fork_mappings(child, parent, spent);
	if (!has_mappings)
		child->public.inherited_is_exact = false;
	for (size_t i = 0; i < p->site_count; i++) {
		const struct site *from = &p->sites[i];
		struct site *to;
		site_id id;

		if (!from->live.blocks ||
		    (from->kind == KIND_MAPPING && !has_mappings))
			continue;
		/* first: a new site may move the array */
		id = site_translate(child, parent, (site_id)i);
		to = &child->public.sites[id];
		to->live.blocks += from->live.blocks;
		to->live.bytes += from->live.bytes;
	}
}

void inherit_fork(struct heap_state *child, struct heap_state *parent,
		  uint64_t fork_stamp, bool is_exact, struct inherit_budget *spent)
{
	struct inheritance *in = inheritance_of(child);
	struct inheritance *parents = inheritance_of(parent);
	struct heap *to = &child->public;
	const struct heap *from = &parent->public;

	in->parent = parent;
	in->fork_stamp = fork_stamp;
	parents->last_fork_stamp = fork_stamp;
	parents->children++;

	to->inherited_is_exact = is_exact;
	to->inherited_blocks = from->live.blocks;
	to->inherited_bytes = from->live.bytes;
	/* sums, as a damaged recording may have events of a child before its fork */
	amount_inherit(&to->live, &from->live);
	to->usable_live += from->usable_live;
	child->public.massif_live_bytes += parent->public.massif_live_bytes;
	to->inherited_mapped = to->mapped_live;
	fork_sites(child, parent, spent);
	to->inherited_mapped.blocks = to->mapped_live.blocks - to->inherited_mapped.blocks;
	to->inherited_mapped.bytes = to->mapped_live.bytes - to->inherited_mapped.bytes;
	to->break_start = from->break_start;
	to->break_now = to->break_peak = from->break_now;
	to->heap_mapped_live = to->heap_mapped_peak = from->heap_mapped_live;
	heap_check_peaks(child, fork_stamp);
}

/* ---- look-up ---- */

/* The buried block of OWNER at ADDR that lived at STAMP, or NULL. */
static const struct block *buried_find(const struct inheritance *owner,
				       uint64_t addr, uint64_t stamp)
{
	struct grave *g;

	HASH_FIND(hh, owner->graves, &addr, sizeof(addr), g);
	for (uint32_t i = g ? g->latest : 0; i; i = owner->dead[i - 1].older) {
		const struct dead_block *d = &owner->dead[i - 1];

		if (d->block.birth_stamp <= stamp && d->release_stamp > stamp)
			return &d->block;
	}
	return NULL;
}

static bool is_gone(const struct heap_state *h, uint64_t addr, uint64_t stamp)
{
	const struct block *gone = blocktable_find(&h->inheritance->gone, addr);

	return gone && gone->birth_stamp <= stamp;
}

/* The inherited block of CHILD at ADDR and the image in whose table it was. */
static const struct block *inherited_find(const struct heap_state *child,
					  uint64_t addr,
					  const struct heap_state **owner)
{
	const struct heap_state *h = child;
	uint64_t stamp = UINT64_MAX;

	for (int i = 0; i < INHERIT_GENERATIONS_MAX; i++) {
		const struct inheritance *in = h->inheritance;
		const struct block *b;

		if (!in || !in->parent || is_gone(h, addr, stamp))
			return NULL;
		stamp = in->fork_stamp;
		h = in->parent;
		*owner = h;
		b = blocktable_find(&h->blocks, addr);
		if (b && b->birth_stamp <= stamp)
			return b;
		b = buried_find(h->inheritance, addr, stamp);
		if (b)
			return b;
	}
	return NULL;
}

bool inherit_take(struct heap_state *child, uint64_t addr, uint64_t stamp,
		  struct block *old)
{
	const struct heap_state *owner;
	const struct block *b = inherited_find(child, addr, &owner);
	struct block *gone;

	if (!b)
		return false;
	*old = *b;
	old->site = site_translate(child, owner, b->site);
	old->origin = site_translate(child, owner, b->origin);
	gone = blocktable_insert(&child->inheritance->gone, addr);
	if (gone) {
		*gone = *old;
		gone->birth_stamp = stamp;
	}
	return true;
}

/* ---- the parent's graves ---- */

void inherit_bury_slow(struct heap_state *h, const struct block *b, uint64_t stamp)
{
	struct inheritance *in = h->inheritance;
	struct grave *g;

	if (in->dead_count >= INHERIT_BURIED_MAX) {
		graves_clear(in);
		in->is_incomplete = true;
	}
	HASH_FIND(hh, in->graves, &b->addr, sizeof(b->addr), g);
	if (!g) {
		g = xcalloc(1, sizeof(*g));
		g->addr = b->addr;
		HASH_ADD(hh, in->graves, addr, sizeof(g->addr), g);
	}
	xgrow(&in->dead, &in->dead_capacity, in->dead_count, sizeof(*in->dead));
	in->dead[in->dead_count++] = (struct dead_block){
		.block = *b,
		.release_stamp = stamp,
		.older = g->latest,
	};
	g->latest = (uint32_t)in->dead_count;
}

void inherit_unbury(struct heap_state *h, const struct block *b)
{
	struct grave *g;

	if (!h->inheritance)
		return;
	HASH_FIND(hh, h->inheritance->graves, &b->addr, sizeof(b->addr), g);
	/* it never was released: no child finds it there any more */
	if (g && g->latest &&
	    h->inheritance->dead[g->latest - 1].block.birth_stamp == b->birth_stamp)
		g->latest = h->inheritance->dead[g->latest - 1].older;
}

/* ---- all that is inherited ---- */

struct enumeration {
	struct heap_state *heap;
	const struct heap_state *owner;
	void (*visit)(const struct block *b, void *ctx);
	void *ctx;
};

/* Visit B of the owner where the generations between it and the heap have kept it. */
static void visit_inherited(const struct enumeration *e, const struct block *b)
{
	uint64_t stamp = UINT64_MAX;
	struct block copy = *b;

	for (const struct heap_state *h = e->heap; h != e->owner;
	     h = h->inheritance->parent) {
		if (is_gone(h, b->addr, stamp))
			return;
		stamp = h->inheritance->fork_stamp;
	}
	if (b->birth_stamp > stamp)
		return;
	copy.site = site_translate(e->heap, e->owner, b->site);
	copy.origin = site_translate(e->heap, e->owner, b->origin);
	e->visit(&copy, e->ctx);
}

void inherit_each(struct heap_state *h,
		  void (*visit)(const struct block *b, void *ctx), void *ctx)
{
	struct enumeration e = { h, h, visit, ctx };

	for (int i = 0; i < INHERIT_GENERATIONS_MAX; i++) {
		const struct inheritance *in = e.owner->inheritance;
		const struct block *b;
		uint32_t cursor = 0;
		uint64_t stamp;

		if (!in || !in->parent)
			return;
		stamp = in->fork_stamp;
		e.owner = in->parent;
		while ((b = blocktable_next(&e.owner->blocks, &cursor)))
			visit_inherited(&e, b);
		in = e.owner->inheritance;
		for (const struct grave *g = in->graves; g; g = g->hh.next) {
			b = buried_find(in, g->addr, stamp);
			if (b)
				visit_inherited(&e, b);
		}
	}
}

void inherit_child_ended(struct heap_state *h, bool keep_blocks)
{
	struct inheritance *parent;

	if (!h->inheritance || !h->inheritance->parent)
		return;
	parent = h->inheritance->parent->inheritance;
	if (keep_blocks)
		return;
	blocktable_release(&h->inheritance->gone);
	if (--parent->children == 0)
		graves_clear(parent);
}
