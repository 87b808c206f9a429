/*
 * unmatched.h - where releases of blocks that were never seen came from.
 */
#ifndef MODEL_UNMATCHED_H
#define MODEL_UNMATCHED_H

#include <stdint.h>

#include "trace/stacks.h"

/* Distinct stacks kept; releases from further ones are counted under STACK_NONE. */
#define UNMATCHED_PLACES 4096

struct unmatched;      /* NULL: empty */

/*
 * Releases from STACK, the one in force at the release: its own where releases are recorded
 * with stacks (FEATURE_FREE_STACKS of the image), else that of the thread's call before.
 */
struct unmatched_place {
	stack_id stack;
	uint64_t count;
	uint64_t first_addr, first_stamp;
};

void unmatched_add(struct unmatched **table, stack_id stack, uint64_t addr, uint64_t stamp);

/* The most frequent first, of equal ones the earliest. An array of *COUNT; the caller's to free. */
struct unmatched_place *unmatched_places(const struct unmatched *table, size_t *count);

void unmatched_free(struct unmatched *table);

#endif
