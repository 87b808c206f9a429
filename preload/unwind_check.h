/*
 * unwind_check.h - ALLOTROPE_CHECK_STACKS: every Nth stack is also taken by libgcc's
 * unwinder and by libunwind, and compared.
 */
#ifndef PRELOAD_UNWIND_CHECK_H
#define PRELOAD_UNWIND_CHECK_H

#include <stdint.h>

#include "unwind.h"

/* Load the oracles. INTERVAL: of the checks, in stacks. */
void check_init(uint32_t interval);

/* Compare the stack just taken at CTX. Returns the captures until the next check, at least 1. */
uint32_t check_stack(const struct unwind_state *u, const struct unwind_context *ctx);

/*
 * Write the counts so far as META_SETTING records: keys "check-stacks.compared",
 * "check-stacks.libgcc-differs", "check-stacks.libunwind-differs",
 * "check-stacks.ended-early". Later ones replace earlier ones.
 */
void check_report(void);

#endif
