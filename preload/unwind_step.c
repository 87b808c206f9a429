/*
 * unwind_step.c - the uncommon steps: signal frames, realigned stacks, other stacks,
 * frames that need more registers, and the ends of a stack.
 *
 * Relies on the walk for the bounds of the stack that the state is on, and keeps them
 * true where a step leads to another one. Promises to read inside them only.
 */
#include "unwind_step.h"

#include "unwind_full.h"
#include "unwind_range.h"

/* A signal may interrupt a leaf function that saved bp below its stack pointer. */
#define RED_ZONE 128

/* The state left for another stack, or another place on this one. */
static unsigned enter_stack(struct walk *w, struct frame_state *s, uint64_t old_sp)
{
	struct stack_range found;
	bool own;

	if (s->pc + 1 < RULE_PC_MIN)
		return STEP_BOTTOM;
	if (s->sp & 7)
		return SPECIAL_BAD_STACK;
	if (s->sp > old_sp && s->sp < w->high)
		return STEP_ON;
	if (!range_find(&w->u->ranges, s->sp, &found, &own))
		return SPECIAL_BAD_STACK;
	/* below its own stack pointer a stack has no frames, and may not be mapped yet */
	if (range_holds(&found, (uint64_t)&found) && s->sp < (uint64_t)&found)
		return SPECIAL_BAD_STACK;
	w->low = found.low;
	w->high = found.high;
	w->fragile = true;
	return STEP_ON;
}

static unsigned step_signal(struct walk *w, struct frame_state *s)
{
	uint64_t frame = s->sp;

	if (!step_may_read(s, frame + SIGNAL_PC + 7, w->high))
		return SPECIAL_BAD_STACK;
	s->pc = *(const uint64_t *)(frame + SIGNAL_PC);
	s->sp = *(const uint64_t *)(frame + SIGNAL_SP);
	s->bp = *(const uint64_t *)(frame + SIGNAL_BP);
	return enter_stack(w, s, frame);
}

static unsigned step_saved(struct walk *w, struct frame_state *s, uint64_t rule)
{
	uint64_t cfa_at = s->bp + (uint64_t)rule_cfa(rule);
	uint64_t bp_at = s->bp + (uint64_t)rule_bp(rule), cfa;

	if ((cfa_at | bp_at) & 7 || !step_may_read(s, cfa_at, w->high) ||
	    !step_may_read(s, bp_at, w->high))
		return SPECIAL_BAD_STACK;
	cfa = *(const uint64_t *)cfa_at;
	if (!step_may_read(s, cfa - 1, w->high) || cfa & 7 ||
	    !step_may_read(s, cfa + (uint64_t)rule_ra(rule), w->high))
		return SPECIAL_BAD_STACK;
	return step_leave(s, cfa, *(const uint64_t *)bp_at, cfa + (uint64_t)rule_ra(rule));
}

/* A step that failed its bounds: right only where bp was saved in the red zone. */
static unsigned step_out_of_bounds(struct walk *w, struct frame_state *s, uint64_t rule)
{
	uint64_t base = rule_kind(rule) == RULE_SP ? s->sp : s->bp;
	uint64_t cfa = base + (uint64_t)rule_cfa(rule);
	uint64_t bp_at = cfa + (uint64_t)rule_bp(rule);

	if (range_is_first(s->sp))
		return STEP_BOTTOM;
	if (!step_may_read(s, cfa - 1, w->high) || cfa & 7 || bp_at >= s->sp ||
	    bp_at < s->sp - RED_ZONE || s->sp - RED_ZONE < w->low ||
	    !step_may_read(s, cfa + (uint64_t)rule_ra(rule), w->high))
		return SPECIAL_BAD_STACK;
	return step_leave(s, cfa, *(const uint64_t *)bp_at, cfa + (uint64_t)rule_ra(rule));
}

static unsigned step_hard(struct walk *w, struct frame_state *s)
{
	struct full_step next;
	uint64_t old_sp = s->sp;

	w->fragile = true;
	if (!full_step_out(&w->u->ranges, s->pc, s->sp, &next))
		return SPECIAL_HARD_RULE;
	*s = (struct frame_state){ next.pc, next.sp, next.bp };
	return enter_stack(w, s, old_sp);
}

unsigned step_cold(struct walk *w, struct frame_state *s, struct fresh_frame *frame)
{
	if (rule_kind(frame->rule) == RULE_NONE) {
		frame->rule = rule_build(frame->pc, w->tag);
		if (rule_kind(frame->rule) == RULE_NONE)
			return range_is_first(s->sp) ? STEP_BOTTOM : SPECIAL_NO_RULE;
	}
	switch (rule_kind(frame->rule)) {
	case RULE_SP:
	case RULE_BP:
		if (step_hot(s, frame->rule, w->high) == STEP_ON)
			return STEP_ON;
		return step_out_of_bounds(w, s, frame->rule);
	case RULE_SAVED:
		return step_saved(w, s, frame->rule);
	case RULE_SIGNAL:
		return step_signal(w, s);
	case RULE_END:
		return STEP_BOTTOM;
	default:
		return step_hard(w, s);
	}
}
