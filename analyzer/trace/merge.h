/*
 * merge.h - all streams of a recording as one, ordered by stamp. At equal stamps
 * releases come first, then lower stream numbers, so that output is
 * reproducible. Memory: one decoded segment a stream that is under way.
 */
#ifndef TRACE_MERGE_H
#define TRACE_MERGE_H

#include "trace/event.h"
#include "trace/recording.h"

struct merge;

/* Which events are wanted; zero: all. */
struct merge_select {
	uint32_t image;             /* 0: all images */
	uint64_t since_stamp;       /* events before are still delivered, so that state is right: the
				       reader compares; 0: from the start */
	uint64_t until_stamp;       /* events after this are not delivered; 0: to the end */
};

/*
 * STACKS receives the call stacks; it outlives the merge and stays the caller's.
 * NULL where nobody asks for them: every event then has STACK_NONE.
 */
struct merge *merge_open(struct recording *r, struct stacks *stacks,
			 const struct merge_select *select);

/* The next event, or NULL at the end. Valid until the next call. */
const struct event *merge_next(struct merge *m);

void merge_close(struct merge *m);

#endif
