/*
 * stack_ends.h - how many of the process's call stacks ended before their outermost
 * frame, by reason.
 *
 * A thread counts in its unwind state; the counts are moved to the process's totals now
 * and then, and these written as META_SETTING records: keys "stacks.truncated",
 * "stacks.no-rule", "stacks.hard-rule", "stacks.bad-stack". Later ones replace earlier ones.
 */
#ifndef PRELOAD_STACK_ENDS_H
#define PRELOAD_STACK_ENDS_H

#include <stdint.h>

#include "record_kinds.h"

/*
 * Move ENDED, by enum frame_special, to the totals: it is zero afterwards. Another
 * thread that counts in it at the same time may lose the one it is counting.
 */
void stack_ends_collect(uint64_t ended[SPECIAL_COUNT]);

/* Write the totals where they have doubled since they were last written: a killed process leaves these. */
void stack_ends_note(void);

/* Write the totals as they are, if there are any. At the end of the process. */
void stack_ends_report(void);

/* In a forked child: the totals are the parent's. */
void stack_ends_forget(void);

#endif
