/*
 * unwind_chain.h - what a thread keeps of its last call stack, and how the next one is
 * taken from it.
 *
 * Unwinding is a pure function of (pc, sp, bp) and of the stack slots it reads. So the
 * kept frames, outermost first, come with the slots that were read to leave
 * them: address and value. A new stack is stepped from the inside only until
 * it meets a kept frame in the same state; if the slots of that frame and of all
 * outside it hold what they held, the rest is known.
 */
#ifndef PRELOAD_UNWIND_CHAIN_H
#define PRELOAD_UNWIND_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record_kinds.h"
#include "unwind.h"
#include "unwind_range.h"

/* A word of the stack that was read, and what it held. */
struct kept_slot {
	const uint64_t *at;
	uint64_t value;
};

struct kept_frame {
	uint64_t sp;    /* before this frame is left; all ones for a special frame */
	uint64_t bp;
	uint32_t slots; /* kept slots of this frame and all outside it */
	bool live;      /* BP matters to what is outside */
};

/* A frame just stepped, to be kept when all of them are known. */
struct fresh_frame {
	uint64_t pc, sp, bp;
	uint64_t rule;
};

struct unwind_state {
	struct stack_range stack; /* that the kept frames lie in */
	uint32_t kept;       /* frames in pcs[] and frames[] */
	uint32_t trusted;    /* of these, from the outside, may be met again: all or none */
	uint32_t written;    /* frames that the reader has in force */
	uint32_t limit;      /* most frames to write, without a special one */
	uint32_t capacity;   /* frames that fit into pcs[], frames[] and fresh[] */
	uint32_t rules;      /* rules.changes of the kept frames */
	uint64_t tag;        /* rules.tag of the kept frames */
	uint32_t memory;     /* range_generation() of `stack` where it is not the thread's own */
	bool own;            /* `stack` is the one the thread was started on */
	bool restart;        /* the reader has forgotten everything */
	bool cut;            /* more frames lie outside the kept ones */
	bool forget;         /* frames in force may mean other code now: write all anew */
	bool steady;         /* all kept frames are in force, may be met again and lie on the own stack */
	bool in_out;         /* the frames in force are in out[], not in pcs[] */
	uint64_t *pcs;       /* kept frames, outermost first, as they are written */
	struct kept_frame *frames;
	struct kept_slot *slots;
	struct fresh_frame *fresh;
	uint64_t *out;       /* frames in force that were written as a whole */
	struct stack_ranges ranges;
	uint64_t ended[SPECIAL_COUNT]; /* stacks that ended early, by enum frame_special; not collected yet */
	uint32_t image;                /* that `ended` counts for */
	uint32_t until_check;          /* captures before the next one is checked */
	struct path *paths;  /* unwind_path.c */
	uint64_t epoch;      /* of the paths that may be taken */
	uint32_t path_rest;  /* walks before paths are tried again */
	int32_t path_luck;   /* below 0 they do not pay */
};

/* Bytes of a state for stacks of at most LIMIT frames; a multiple of the page size. */
size_t chain_bytes(uint32_t limit);

/* Lay out U (zeroed memory of chain_bytes(LIMIT), or used before) and forget everything. */
void chain_reset(struct unwind_state *u, uint32_t limit);

/* The stack at CTX by unwind rules, incrementally. */
void chain_capture(struct unwind_state *u, const struct unwind_context *ctx,
		   struct stack_change *change);

/*
 * Write COUNT <= limit frames (innermost first) as a whole, with SPECIAL (0: none) at the
 * outer end: CHANGE is their difference from what is in force.
 */
void chain_write_whole(struct unwind_state *u, const uint64_t *pcs, uint32_t count,
		       uint64_t special, struct stack_change *change);

/*
 * Compare the slots of frames [FLOOR, COUNT) with what they held, innermost first.
 * Returns 0, or the number of frames from the outside up to and with the innermost that differs.
 */
static inline uint32_t chain_verify(const struct unwind_state *u, uint32_t floor, uint32_t count)
{
	const struct kept_slot *s = u->slots + u->frames[count - 1].slots;
	const struct kept_slot *last = u->slots + (floor ? u->frames[floor - 1].slots : 0);
	uint32_t index;

	while (s - last >= 4) {
		uint64_t differ = (*s[-1].at ^ s[-1].value) | (*s[-2].at ^ s[-2].value) |
				  (*s[-3].at ^ s[-3].value) | (*s[-4].at ^ s[-4].value);

		if (__builtin_expect(differ != 0, 0))
			break;
		s -= 4;
	}
	while (s > last && *s[-1].at == s[-1].value)
		s--;
	if (s == last)
		return 0;
	/* the slot before S differs: find its frame */
	index = (uint32_t)(s - u->slots);
	while (count > 1 && u->frames[count - 2].slots >= index)
		count--;
	return count;
}

/* The frames in force, outermost first, and their number. */
const uint64_t *chain_written(const struct unwind_state *u, uint32_t *count);

#endif
