/*
 * inner_stack.c - see inner_stack.h. Relies on the caller's guard: a thread's second unwind state
 * is its own. Nothing is allocated from the heap.
 */
#include "inner_stack.h"

#include "own_memory.h"
#include "regions.h"
#include "tstate.h"

void inner_stack(struct thread *t, const struct unwind_context *ctx, struct inner_frames *inner)
{
	struct tstate *s = t->state;
	struct stack_change change;
	const uint64_t *frames;
	uint64_t start, end;
	uint32_t count;

	inner->count = 0;
	if (!s->inner) {
		s->inner = (struct unwind_state *)own_map(unwind_state_bytes());
		if (!s->inner)
			return;
		unwind_reset(s->inner);
	}
	unwind_capture(s->inner, ctx, &change);
	frames = unwind_last(s->inner, &count);
	regions_library(&start, &end);
	for (uint32_t i = count; i > 0; i--) {
		if (frames[i - 1] >= start && frames[i - 1] < end)
			return;
		if (inner->count < INNER_FRAMES_MAX)
			inner->pcs[inner->count++] = frames[i - 1];
	}
	/* the hook was not met: nobody knows which of them are inside */
	inner->count = 0;
}
