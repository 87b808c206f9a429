/*
 * skew.c - see skew.h. A queue in order of arrival, short by nature: what
 * arrives within a microsecond. Relies on stamps that do not decrease.
 */
#include "model/skew.h"

#include <string.h>

#include "base/xmem.h"

static void held_take(struct heap_state *heap, size_t index, struct held *to)
{
	*to = heap->held[index];
	heap->held_count--;
	memmove(&heap->held[index], &heap->held[index + 1],
		(heap->held_count - index) * sizeof(*heap->held));
}

bool skew_hold(struct heap_state *heap, const struct held *h, struct held *expired)
{
	bool is_full = heap->held_count == HELD_MAX;

	if (!heap->held)
		heap->held = xmalloc(HELD_MAX * sizeof(*heap->held));
	if (is_full)
		held_take(heap, 0, expired);
	heap->held[heap->held_count++] = *h;
	return is_full;
}

bool skew_match(struct heap_state *heap, uint64_t addr, bool is_acquire,
		struct held *match)
{
	for (size_t i = 0; i < heap->held_count; i++) {
		if (heap->held[i].block.addr == addr &&
		    heap->held[i].is_acquire == is_acquire) {
			held_take(heap, i, match);
			return true;
		}
	}
	return false;
}

bool skew_expire(struct heap_state *heap, uint64_t stamp, struct held *expired)
{
	if (!heap->held_count ||
	    difference(stamp, heap->held[0].stamp) <= heap->skew_ticks)
		return false;
	held_take(heap, 0, expired);
	return true;
}
