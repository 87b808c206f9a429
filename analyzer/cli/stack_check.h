/*
 * stack_check.h - what the library counted of an image's call stacks: those that ended
 * early, and what `record --check-stacks` found in comparing them with the stacks of libgcc
 * and libunwind.
 */
#ifndef CLI_STACK_CHECK_H
#define CLI_STACK_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/recording.h"

/* Recorded stacks whose outer end is missing. A killed process may have had up to twice as many. */
struct stack_ends {
	uint64_t truncated; /* deeper than the depth limit */
	uint64_t no_rule;   /* code without unwind information */
	uint64_t hard_rule; /* unwind information that could not be followed */
	uint64_t bad_stack; /* the stack pointer left the known stack */
};

/* Comparison with one unwinder: in `frame` a frame differs, in the others one stack ends first. */
struct oracle_check {
	uint64_t compared;
	uint64_t frame;
	uint64_t shorter; /* ours is */
	uint64_t longer;
};

struct stack_check {
	uint64_t compared;    /* with either */
	uint64_t ended_early; /* ours is marked as incomplete; compared as far as it goes */
	uint64_t unsafe;      /* not compared: ours is damaged, the other unwinder could crash */
	struct oracle_check libgcc, libunwind;
};

/* The counts of IMAGE into *E, zeros where there are none. */
void stack_ends_read(const struct image *image, struct stack_ends *e);

/* The check of IMAGE into *C. False: it was not asked for. */
bool stack_check_read(const struct image *image, struct stack_check *c);

/* Add FROM to SUM. */
void stack_ends_add(struct stack_ends *sum, const struct stack_ends *from);
void stack_check_add(struct stack_check *sum, const struct stack_check *from);

/* Stacks that differ, whatever the cause. */
uint64_t oracle_differs(const struct oracle_check *o);

#endif
