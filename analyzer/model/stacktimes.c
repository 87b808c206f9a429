/*
 * stacktimes.c - see stacktimes.h. Relies on a TIMING record to follow its call in the
 * same stream. Promises memory by call stacks and streams, and O(1) per event.
 */
#include "model/stacktimes.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"
#include "model/heap.h"

static struct last_call *last_of(struct stacktimes *t, uint32_t stream)
{
	if (stream >= t->last_count) {
		size_t count = t->last_count ? t->last_count : 16;

		if (stream > STREAM_MAX)
			return NULL;
		while (count <= stream)
			count *= 2;
		t->last = xreallocarray(t->last, count, sizeof(*t->last));
		memset(t->last + t->last_count, 0, (count - t->last_count) * sizeof(*t->last));
		t->last_count = count;
	}
	return &t->last[stream];
}

static bool is_release(uint8_t func)
{
	return func >= FUNC_FREE && func <= FUNC_CFREE;
}

static struct stack_time *row_of(struct stacktimes *t, uint32_t image, const struct last_call *call)
{
	uint64_t key = (uint64_t)image << 40 ^ (uint64_t)call->func << 32 ^ call->stack;
	uint32_t id = idmap_add(&t->index, key, (uint32_t)t->count + 1);

	if (id == t->count + 1) {
		xgrow(&t->items, &t->capacity, t->count, sizeof(*t->items));
		t->items[t->count++] = (struct stack_time){
			.image = image,
			.stack = call->stack,
			.func = call->func,
		};
	}
	return &t->items[id - 1];
}

void stacktimes_add(struct stacktimes *t, const struct image *image, const struct event *event,
		    const struct change *change)
{
	struct last_call *last = last_of(t, event->stream);
	struct stack_time *row;

	if (!last)
		return;
	if (change->has_call) {
		last->is_known = !is_release(change->call.func) ||
				 (image->features & FEATURE_FREE_STACKS);
		last->stack = event->stack;
		last->func = change->call.func;
		last->weight = change->call.weight;
	} else if (event->r.kind == EVENT_TIMING && last->is_known) {
		row = row_of(t, image->number, last);
		row->calls += last->weight;
		row->ticks = sum_saturated(row->ticks,
					   product_saturated(event->r.duration, last->weight));
		last->is_known = false;
	}
}

void stacktimes_release(struct stacktimes *t)
{
	idmap_release(&t->index);
	free(t->items);
	free(t->last);
	*t = (struct stacktimes){ 0 };
}

double stack_time_estimate(const struct stack_time *t, const struct heap *heap)
{
	const struct func_totals *f = &heap->funcs[t->func];

	if (f->timed_calls == 0 || f->timed_calls >= f->calls)
		return (double)t->ticks;
	return (double)t->ticks * ((double)f->calls / (double)f->timed_calls);
}
