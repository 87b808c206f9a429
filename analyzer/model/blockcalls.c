/*
 * blockcalls.c - see blockcalls.h. Relies on time order with an error of at most
 * the heap's skew_ticks, and on a stream being known. Promises that each block is
 * counted once as acquired and at most once as released, whatever the events.
 */
#include "model/blockcalls.h"

#include <stdlib.h>

#include "base/xmem.h"
#include "model/estimate.h"
#include "model/inherit.h"
#include "model/skew.h"
#include "model/unmatched.h"

static inline uint64_t at_most(uint64_t value, uint64_t limit)
{
	return value < limit ? value : limit;
}

/* ---- open reallocs ---- */

/* The realloc that THREAD has open in stream ST, or NULL. */
static struct open_realloc **open_find(struct stream_state *st, uint32_t thread)
{
	struct open_realloc **p = &st->opens;

	while (*p && (*p)->thread != thread)
		p = &(*p)->next;
	return p;
}

static struct open_realloc *open_new(struct streams *s, struct stream_state *st)
{
	struct open_realloc *o = s->spare;

	if (o)
		s->spare = o->next;
	else
		o = xmalloc(sizeof(*o));
	o->next = st->opens;
	st->opens = o;
	return o;
}

static void open_drop(struct streams *s, struct open_realloc **place)
{
	struct open_realloc *o = *place;

	*place = o->next;
	o->next = s->spare;
	s->spare = o;
}

/* The realloc did not happen, as far as is known: its block lives. */
static void open_revive(struct heap_state *h, const struct open_realloc *o)
{
	struct held unwanted;
	struct block *b;

	if (!o->has_block) {
		/* nor is it released, if its acquire should still come */
		if (h->held_count)
			skew_match(h, o->addr, false, &unwanted);
		return;
	}
	b = blocktable_insert(&h->blocks, o->addr);
	if (b) {
		*b = o->old;
		inherit_unbury(h, b);
		return;
	}
	/* somebody else was given the address: so it was released, unseen */
	h->public.overlaps++;
	heap_count_release(h, &o->old, o->stamp, false);
}

/* Another call of the same thread: the end of its realloc was lost. */
static void open_abandon(struct streams *s, struct stream_state *st, uint32_t thread)
{
	struct open_realloc **place = open_find(st, thread);

	if (*place) {
		open_revive(st->heap, *place);
		open_drop(s, place);
	}
}

void streams_release(struct streams *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct stream_state *st = &s->items[i];

		while (st->opens)
			open_drop(s, &st->opens);
		if (st->memcall)
			memcall_release(st->memcall);
		free(st->memcall);
	}
	while (s->spare) {
		struct open_realloc *o = s->spare;

		s->spare = o->next;
		free(o);
	}
	free(s->items);
	*s = (struct streams){ 0 };
}

/* ---- blocks in and out ---- */

/* Take the live block at ADDR out of the table, or out of what was inherited. */
static inline bool take_block(struct heap_state *h, uint64_t addr, uint64_t stamp,
			      struct block *old)
{
	if (blocktable_remove(&h->blocks, addr, old)) {
		inherit_bury(h, old, stamp);
		return true;
	}
	return h->inheritance && inherit_take(h, addr, stamp, old);
}

/* B is acquired for good: its address is free. */
static void apply_acquire(struct heap_state *h, const struct block *b,
			  uint64_t usable, struct change *c)
{
	struct block *place = blocktable_insert(&h->blocks, b->addr);

	if (place)
		*place = *b;
	c->acquired = true;
	c->block = *b;
	c->new_peak = heap_count_acquire(h, b, usable);
}

static void unmatched_release(struct heap_state *h, const struct held *held)
{
	unmatched_add(&h->public.unmatched, held->stack, held->block.addr, held->stamp);
	if (h->public.unmatched_frees++ == 0) {
		h->public.unmatched_first_addr = held->block.addr;
		h->public.unmatched_first_stamp = held->stamp;
	}
}

/* H has waited in vain. */
static void settle(struct heap_state *h, const struct held *held,
		   struct change_list *changes)
{
	struct change *c;
	struct block old;

	if (!held->is_acquire) {
		unmatched_release(h, held);
		return;
	}
	c = change_list_add(changes, h);
	if (blocktable_remove(&h->blocks, held->block.addr, &old)) {
		h->public.overlaps++;
		inherit_bury(h, &old, held->stamp);
		heap_count_release(h, &old, held->stamp, false);
		c->released = true;
		c->old = old;
	}
	apply_acquire(h, &held->block, held->usable, c);
}

void blockcall_expire(struct heap_state *h, uint64_t stamp, struct change_list *changes)
{
	struct held held;

	while (skew_expire(h, stamp, &held))
		settle(h, &held, changes);
}

static void hold(struct heap_state *h, const struct held *held,
		 struct change_list *changes)
{
	struct held expired;

	if (skew_hold(h, held, &expired))
		settle(h, &expired, changes);
}

/* The address of a block has become free: an acquire may have waited for it. */
static void address_freed(struct heap_state *h, uint64_t addr, struct change *c)
{
	struct held held;

	if (skew_match(h, addr, true, &held))
		apply_acquire(h, &held.block, held.usable, c);
}

/*
 * B is acquired, and a release of its address has already been read (HELD): by a
 * free, or by a realloc that may still be open.
 */
static void acquire_released(struct streams *s, struct heap_state *h,
			     const struct block *b, uint64_t usable,
			     const struct held *held, struct change_list *changes)
{
	struct change *c = &changes->items[0];
	struct open_realloc *o = NULL;

	c->acquired = true;
	c->block = *b;
	c->new_peak = heap_count_acquire(h, b, usable);
	if (held->is_realloc && held->stream < s->count)
		o = *open_find(&s->items[held->stream], held->thread);
	if (o && !o->has_block && o->addr == b->addr) {
		o->has_block = true;
		o->old = *b;
		return;
	}
	heap_count_release(h, b, held->stamp, false);
	c = change_list_add(changes, h);
	c->released = true;
	c->old = *b;
}

/* ---- records ---- */

static inline struct func_totals *count_call(struct stream_state *st, uint8_t func)
{
	struct func_totals *t = &st->heap->public.funcs[func];

	t->calls++;
	st->last_func = func;
	st->last_weight = 1;
	return t;
}

/* The call that was just counted acquired or released B: with sampling it stands for more. */
static inline struct amount weigh_call(struct stream_state *st, const struct block *b,
				       struct change *c)
{
	struct heap *h = &st->heap->public;
	struct amount w = { 1, b->size };

	if (__builtin_expect(h->sampling_bytes != 0, 0)) {
		w = estimate_weight(b, h->sampling_bytes);
		h->funcs[st->last_func].calls += w.blocks - 1;
		st->last_weight = c->call.weight = w.blocks;
	}
	return w;
}

/*
 * With sampling: a realloc of a recorded block whose result is none, or that failed. Of
 * calls that acquire nothing such are recorded only, so they say nothing of the others.
 */
static bool is_unweighed(struct stream_state *st, struct change *c)
{
	if (!st->heap->public.sampling_bytes)
		return false;
	c->has_call = false;
	return true;
}

/* The end of a realloc of a known block: its figures go, its origin stays. */
static void end_realloc(struct streams *s, struct stream_state *st,
			const struct record *r, struct block *b, struct change *c)
{
	struct open_realloc **place = open_find(st, r->thread);
	struct heap_state *h = st->heap;
	struct open_realloc *o = *place;
	struct site *site;

	if (!o)
		return;
	c->call.pointer = o->addr;
	c->call.stamp = o->stamp;
	if (o->has_block) {
		bool is_open = h->is_massif_open;

		heap_count_release(h, &o->old, r->stamp, false);
		/* growing releases nothing */
		h->is_massif_open = is_open && b->size >= o->old.size;
		c->released = true;
		c->old = o->old;
		b->origin = o->old.origin;
		heap_keep_room(b, &o->old);
		site = &h->public.sites[b->site];
		site->reallocs += st->last_weight;
		if (o->addr != b->addr) {
			site->moved.blocks += st->last_weight;
			site->moved.bytes = sum_saturated(site->moved.bytes,
				product_saturated(st->last_weight,
						  at_most(o->old.size, b->size)));
		}
	}
	open_drop(s, place);
}

void blockcall_acquire(struct streams *s, const struct event *event,
		       struct change_list *changes)
{
	struct stream_state *st = &s->items[event->stream];
	const struct record *r = &event->r;
	struct change *c = &changes->items[0];
	struct heap_state *h = st->heap;
	struct func_totals *func = count_call(st, r->func);
	uint64_t size = at_most(record_bytes(r), BLOCK_SIZE_MAX);
	uint64_t usable = at_most(r->usable, 2 * BLOCK_SIZE_MAX);
	struct held held;
	struct block *place;
	struct block b = {
		.addr = r->addr,
		.size = size,
		.birth_stamp = r->stamp,
		.slack = (uint32_t)at_most(difference(usable, size), UINT32_MAX),
		.birth_serial = ++st->acquires,
		.stream = event->stream,
		.cls = r->cls,
	};

	c->has_call = true;
	c->kind = KIND_HEAP;
	c->call = (struct call){
		.func = r->func,
		.nmemb = r->nmemb,
		.alignment = r->alignment,
		.size = r->size,
		.result = r->addr,
		.stamp = r->stamp,
		.weight = 1,
	};
	func->bytes = sum_saturated(func->bytes, weigh_call(st, &b, c).bytes);
	heap_first_room(&b);
	b.site = b.origin = heap_site(h, event->stack, KIND_HEAP);
	if (r->kind == EVENT_REALLOC_END)
		end_realloc(s, st, r, &b, c);
	else if (st->opens)
		open_abandon(s, st, r->thread);
	if (r->addr == 0) /* no allocator gives that: a damaged record */
		return;
	if (h->held_count && skew_match(h, r->addr, false, &held)) {
		acquire_released(s, h, &b, usable, &held, changes);
		return;
	}
	place = blocktable_insert(&h->blocks, r->addr);
	if (!place) {
		hold(h, &(struct held){
			.stamp = r->stamp,
			.is_acquire = true,
			.stream = event->stream,
			.usable = usable,
			.block = b,
		}, changes);
		return;
	}
	*place = b;
	c->acquired = true;
	c->block = b;
	c->new_peak = heap_count_acquire(h, &b, usable);
}

void blockcall_free(struct streams *s, const struct event *event,
		    struct change_list *changes)
{
	struct stream_state *st = &s->items[event->stream];
	const struct record *r = &event->r;
	struct change *c = &changes->items[0];
	struct heap_state *h = st->heap;
	bool is_temporary;

	count_call(st, r->func);
	c->has_call = true;
	c->kind = KIND_HEAP;
	c->call = (struct call){
		.func = r->func,
		.pointer = r->addr,
		.stamp = r->stamp,
		.weight = 1,
	};
	if (st->opens)
		open_abandon(s, st, r->thread);
	h->public.free_calls++;
	if (!take_block(h, r->addr, r->stamp, &c->old)) {
		hold(h, &(struct held){
			.stamp = r->stamp,
			.stream = event->stream,
			.stack = event->stack,
			.block.addr = r->addr,
		}, changes);
		return;
	}
	c->released = true;
	h->public.free_calls += weigh_call(st, &c->old, c).blocks - 1;
	is_temporary = c->old.stream == event->stream &&
		       c->old.birth_serial == st->acquires;
	heap_count_release(h, &c->old, r->stamp, is_temporary);
	if (h->held_count)
		address_freed(h, r->addr, c);
}

void blockcall_realloc_begin(struct streams *s, const struct event *event,
			     struct change_list *changes)
{
	struct stream_state *st = &s->items[event->stream];
	const struct record *r = &event->r;
	struct heap_state *h = st->heap;
	struct open_realloc *o;

	if (st->opens)
		open_abandon(s, st, r->thread);
	o = open_new(s, st);
	o->addr = r->addr;
	o->stamp = r->stamp;
	o->thread = r->thread;
	o->has_block = take_block(h, r->addr, r->stamp, &o->old);
	if (o->has_block && h->held_count)
		address_freed(h, r->addr, &changes->items[0]);
	if (!o->has_block)
		hold(h, &(struct held){
			.stamp = r->stamp,
			.is_realloc = true,
			.thread = r->thread,
			.stream = event->stream,
			.stack = event->stack,
			.block.addr = r->addr,
		}, changes);
}

static bool is_realloc(uint8_t func)
{
	return func == FUNC_REALLOC || func == FUNC_REALLOCARRAY;
}

void blockcall_null(struct streams *s, const struct event *event,
		    struct change_list *changes)
{
	struct stream_state *st = &s->items[event->stream];
	const struct record *r = &event->r;
	struct change *c = &changes->items[0];
	struct open_realloc **place;

	c->has_call = true;
	c->kind = KIND_HEAP;
	c->call = (struct call){ .func = r->func, .stamp = r->stamp, .weight = 1 };
	if (!is_unweighed(st, c))
		count_call(st, r->func);
	place = open_find(st, r->thread);
	if (!*place)
		return;
	if (!is_realloc(r->func)) {
		open_abandon(s, st, r->thread);
		return;
	}
	/* realloc(p, 0) that freed p */
	c->call.pointer = (*place)->addr;
	c->call.stamp = (*place)->stamp;
	if ((*place)->has_block) {
		c->released = true;
		c->old = (*place)->old;
		heap_count_release(st->heap, &c->old, r->stamp, false);
	}
	open_drop(s, place);
}

void blockcall_failed(struct streams *s, const struct event *event,
		      struct change_list *changes)
{
	struct stream_state *st = &s->items[event->stream];
	const struct record *r = &event->r;
	struct change *c = &changes->items[0];
	struct open_realloc **place;

	c->has_call = true;
	c->kind = KIND_HEAP;
	c->call = (struct call){
		.func = r->func,
		.error = r->error,
		.nmemb = 1,
		.size = r->size,
		.stamp = r->stamp,
		.weight = 1,
	};
	if (!is_unweighed(st, c))
		count_call(st, r->func)->failed++;
	if (r->func == FUNC_CALLOC || r->func == FUNC_REALLOCARRAY)
		c->call.nmemb = r->args[0];
	else
		c->call.alignment = r->args[0];
	place = open_find(st, r->thread);
	if (*place && is_realloc(r->func)) {
		c->call.pointer = (*place)->addr;
		c->call.stamp = (*place)->stamp;
	}
	open_abandon(s, st, r->thread);
}

void blockcall_end_stream(struct streams *s, size_t index)
{
	struct stream_state *st = &s->items[index];

	while (st->opens) {
		open_revive(st->heap, st->opens);
		open_drop(s, &st->opens);
	}
}
