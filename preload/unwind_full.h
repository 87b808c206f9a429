/*
 * unwind_full.h - the slow walk with all callee-saved registers, for frames whose
 * rule needs them.
 */
#ifndef PRELOAD_UNWIND_FULL_H
#define PRELOAD_UNWIND_FULL_H

#include <stdbool.h>
#include <stdint.h>

#include "unwind_range.h"

struct full_step {
	uint64_t pc; /* to look up */
	uint64_t sp;
	uint64_t bp;
};

/*
 * Leave the frame of the calling thread that is at (PC to look up, SP): walks from this
 * function outward. False where it cannot be reached or left. Every read is inside a
 * range of RANGES. About half a microsecond per frame.
 */
bool full_step_out(struct stack_ranges *ranges, uint64_t pc, uint64_t sp,
		   struct full_step *next);

enum full_meeting {
	FULL_UNKNOWN,         /* the walk failed before it got there */
	FULL_MET,
	FULL_MET_INTERRUPTED, /* and came through a signal handler */
	FULL_PASSED,          /* the stack goes by it: the function is over */
};

/*
 * Is the function of this library with the frame address FRAME under way in the calling
 * thread? Needs the heap and locks as little as the other; async-signal-safe. Opens
 * /proc/self/maps for stacks that are not a thread's own.
 */
enum full_meeting full_meet(uint64_t frame);

#endif
