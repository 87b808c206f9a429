/*
 * unwind_path.h - ways from a call into the kept chain that a thread has walked before.
 *
 * A program that allocates in turn from a few places, each some frames inside a part of
 * the stack that stays, walks the same frames again and again. Each walk is kept
 * with all that it read; where the next call begins in the same state, and the words
 * it read hold what they held, it ends at the same frame of the chain.
 */
#ifndef PRELOAD_UNWIND_PATH_H
#define PRELOAD_UNWIND_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "unwind_chain.h"

/* What a thread's paths take, in bytes. Touched when the first is kept. */
size_t path_bytes(void);

/* Forget all paths of U: another thread, or other code. */
void path_forget(struct unwind_state *u);

/* Paths are worth a look in U; if not, the next walk is left alone. */
static inline bool path_is_due(const struct unwind_state *u)
{
	return u->path_rest == 0;
}

/* The frames [KEPT, u->kept) were just walked from CTX, and it was due: keep the way there. */
void path_keep(struct unwind_state *u, const struct unwind_context *ctx, uint32_t kept);

/*
 * The stack at CTX by a path, where that is due, U is steady and no module came or went
 * since. False: nothing was changed, it must be walked.
 */
bool path_take(struct unwind_state *u, const struct unwind_context *ctx,
	       struct stack_change *change);

#endif
