/*
 * sizetable.h - how often each size was requested: small sizes have a row each,
 * larger ones are found by open addressing, for one look-up per acquire. Memory
 * grows with distinct sizes.
 */
#ifndef MODEL_SIZETABLE_H
#define MODEL_SIZETABLE_H

#include <stddef.h>
#include <stdint.h>

#include "model/replay.h"

#define SIZETABLE_SMALL 1024

/* All zero is empty. */
struct sizetable {
	struct size_row *small;  /* by size, below SIZETABLE_SMALL; NULL: nothing was added */
	struct size_row *slots;  /* of larger sizes; count 0: free */
	size_t slot_count;       /* a power of two */
	size_t count;            /* distinct sizes in slots */
};

/* One block of SIZE requested and USABLE bytes. */
void sizetable_add(struct sizetable *t, uint64_t size, uint64_t usable);

/* AMOUNT blocks and bytes of SIZE, of USABLE bytes in all (estimate.h). */
void sizetable_add_many(struct sizetable *t, uint64_t size, struct amount amount, uint64_t usable);

/* The rows by ascending size, *COUNT of them, for the caller to free; the table is empty then. */
struct size_row *sizetable_take(struct sizetable *t, size_t *count);

void sizetable_release(struct sizetable *t);

#endif
