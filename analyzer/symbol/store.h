/*
 * store.h - symbols as a SYMBOLS segment: written by `record` after the
 * program has ended, read by the resolver. The format is in docs/format.md.
 */
#ifndef SYMBOL_STORE_H
#define SYMBOL_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "symbol/resolve.h"

/*
 * Look up every frame of STACKS (those that RS was made with) and write the
 * result as the payload of a SYMBOLS segment into *PAYLOAD (malloc'ed, the
 * caller's) and its length. Returns 0. PROGRESS (may be NULL) is
 * called with (done, total, ctx) now and then; it returns non-zero to stop early:
 * what was found until then is written.
 */
int symbols_store(struct resolver *rs, struct stacks *stacks,
		  uint8_t **payload, size_t *bytes,
		  int (*progress)(size_t done, size_t total, void *ctx), void *ctx);

#endif
