/*
 * stack_check.h - what ALLOTROPE_CHECK_STACKS found in an image: how many call stacks
 * were compared with those of libgcc and libunwind, and how many differ.
 */
#ifndef CLI_STACK_CHECK_H
#define CLI_STACK_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/recording.h"

struct stack_check {
	uint64_t compared;         /* call stacks taken three times */
	uint64_t libgcc_differs;
	uint64_t libunwind_differs;
	uint64_t ended_early;      /* ours end marked as incomplete; not compared to their end */
};

/* The check of IMAGE into *C. False: it was not asked for (record's ALLOTROPE_CHECK_STACKS). */
bool stack_check_read(const struct image *image, struct stack_check *c);

#endif
