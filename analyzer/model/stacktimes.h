/*
 * stacktimes.h - time in the allocator by call stack: the calls of which a TIMING
 * record says how long they took, as they come. A sample of all calls, unless
 * `record --timing=all`; struct func_totals says of how many.
 *
 * A release is known by its call stack only where that was recorded
 * (`record --free-stacks`); else its time belongs to no call stack.
 */
#ifndef MODEL_STACKTIMES_H
#define MODEL_STACKTIMES_H

#include "base/idmap.h"
#include "model/replay.h"
#include "trace/event.h"

struct stack_time {
	uint32_t image;       /* number */
	stack_id stack;
	uint8_t func;         /* enum alloc_func */
	uint64_t calls;       /* timed; with sampling those that they stand for */
	uint64_t ticks;       /* sum, saturated */
};

/* The last call of a stream, which the next TIMING record is about. */
struct last_call { stack_id stack; uint8_t func; bool is_known; uint64_t weight; };

/* All zero is empty. */
struct stacktimes {
	struct stack_time *items; /* a row for each image, call stack and function */
	size_t count, capacity;
	/* private */
	struct idmap index;
	struct last_call *last;   /* by stream */
	size_t last_count;
};

/* EVENT of IMAGE, and what it did. */
void stacktimes_add(struct stacktimes *t, const struct image *image, const struct event *event,
		    const struct change *change);

void stacktimes_release(struct stacktimes *t);

/*
 * The time in ticks that T, a row of HEAP's image, stands for: that all calls of its
 * function took as long as those timed.
 */
double stack_time_estimate(const struct stack_time *t, const struct heap *heap);

#endif
