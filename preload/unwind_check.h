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
 * Write the counts so far as META_SETTING records, later ones replace earlier ones. Keys, each
 * behind "check-stacks.":
 *	compared            stacks compared with either
 *	ended-early         ours says that it is incomplete, other than at the depth limit
 *	unsafe              not compared: ours is damaged, and so an oracle could crash
 *	libgcc-compared, libunwind-compared
 *	libgcc-frame, libunwind-frame       a frame differs
 *	libgcc-shorter, libunwind-shorter   ours is over where the other goes on
 *	libgcc-longer, libunwind-longer
 */
void check_report(void);

/* In a forked child: what was counted is the parent's. */
void check_forget(void);

#endif
