/*
 * unwind_step.h - out of one frame into its caller's.
 */
#ifndef PRELOAD_UNWIND_STEP_H
#define PRELOAD_UNWIND_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "record_kinds.h"
#include "unwind_chain.h"
#include "unwind_rule.h"

/* What a step comes to: one of these, or the enum frame_special that the stack ends with. */
enum {
	STEP_ON = 0,       /* in the caller */
	STEP_COLD = 254,   /* not done: step_cold() */
	STEP_BOTTOM = 255, /* the outermost frame */
};

struct frame_state {
	uint64_t pc; /* to look up */
	uint64_t sp;
	uint64_t bp;
};

/* A stack being walked that is not (or no longer) the one it began on. */
struct walk {
	struct unwind_state *u;
	uint64_t tag;
	uint64_t high;  /* of the stack that the state is on */
	uint64_t low;
	uint32_t count; /* fresh frames */
	bool fragile;   /* passed a place that the kept slots cannot vouch for */
};

/* Words of the stack at [sp, high) may be read. */
static inline bool step_may_read(const struct frame_state *s, uint64_t address, uint64_t high)
{
	return address - s->sp < high - s->sp;
}

/* To the caller with the CFA known. Keeps S where that fails. */
static inline unsigned step_leave(struct frame_state *s, uint64_t cfa, uint64_t bp, uint64_t ra_at)
{
	uint64_t ra = rule_strip(*(const uint64_t *)ra_at);

	s->sp = cfa;
	s->bp = bp;
	s->pc = ra - 1;
	if (__builtin_expect(ra < RULE_PC_MIN, 0))
		return ra == 0 ? STEP_BOTTOM : SPECIAL_BAD_STACK;
	return STEP_ON;
}

/* The two common kinds of step; all else is STEP_COLD. */
static inline unsigned step_hot(struct frame_state *s, uint64_t rule, uint64_t high)
{
	uint64_t cfa, bp = s->bp;
	int64_t saved = rule_bp(rule);

	if (__builtin_expect(rule_kind(rule) == RULE_SP, 1))
		cfa = s->sp + (uint64_t)rule_cfa(rule);
	else if (rule_kind(rule) == RULE_BP)
		cfa = s->bp + (uint64_t)rule_cfa(rule);
	else
		return STEP_COLD;
	/* sp < CFA <= high */
	if (__builtin_expect(!step_may_read(s, cfa - 1, high) || (cfa & 7), 0))
		return STEP_COLD;
	if (saved) {
		if (__builtin_expect(!step_may_read(s, cfa + (uint64_t)saved, high), 0))
			return STEP_COLD;
		bp = *(const uint64_t *)(cfa + (uint64_t)saved);
	}
#if !defined(__x86_64__)
	if (__builtin_expect(!step_may_read(s, cfa + (uint64_t)rule_ra(rule), high), 0))
		return STEP_COLD;
#endif
	return step_leave(s, cfa, bp, cfa + (uint64_t)rule_ra(rule));
}

/* What step_hot() did not do. May replace the frame's rule by a newer one. */
__attribute__((cold))
unsigned step_cold(struct walk *w, struct frame_state *s, struct fresh_frame *frame);

#endif
