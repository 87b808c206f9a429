/*
 * freed_look.h - looks at the pages of large blocks just before they are released: how much of
 * what a program asked for it never touched. By mincore(2), which needs no descriptor. What is
 * present may have been touched by an earlier block at that place; what is absent was not
 * touched by this one.
 *
 * A look takes about a microsecond, so looks are rationed. Each thread state may do LOOK_FREE
 * units of them; beyond that they may take one part in LOOK_SHARE of the thread's time. Where
 * they would take more, of the blocks of like size one in about 2^k is looked at, chosen at
 * random, and its record says for how many releases it stands.
 */
#ifndef PRELOAD_FREED_LOOK_H
#define PRELOAD_FREED_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "block.h"
#include "look_record.h"

/* Units of looking that are free: one for a look, and one more for each 16 MiB of the block. */
#define LOOK_FREE 128u
#define LOOK_UNIT_PAGES 4096u
/* Looks beyond these take at most this part of the thread's time so far. */
#define LOOK_SHARE 200u
/* Of a larger block the first so many bytes are looked at. */
#define LOOK_BYTES_MAX (4ull << 30)
/* Sizes are alike within a factor of two: 64 KiB.., 128 KiB.., ... */
#define LOOK_CLASSES 16u

struct look_class {
	uint32_t passed;  /* releases since the last look, the present one included */
	uint32_t until;   /* releases before the next look */
	uint32_t shift;   /* k: one in about 2^k is looked at */
};

/* Part of a thread state; all zero at first, but begun. */
struct looks {
	uint64_t begun;   /* stamp: when the state had its first thread */
	uint64_t spent;   /* ticks in looks, those that were free left out */
	uint32_t units;   /* of LOOK_FREE that are used up */
	uint32_t random;
	struct look_class classes[LOOK_CLASSES];
	uint8_t present[2048];
};

/*
 * Chunks of so many bytes and more are looked at: LOOK_BYTES_MIN; or none (UINT64_MAX), and then
 * no chunk header is read.
 */
extern uint64_t freed_look_from __attribute__((visibility("hidden")));

/* Once, at start, after block_init(). Returns FEATURE_FREED_LOOKS or 0. */
uint32_t freed_look_init(void);

/*
 * Is a release of BYTES to be looked at now, in the thread of L, at STAMP? To be asked for each
 * release of LOOK_BYTES_MIN and more.
 */
bool looks_due(struct looks *l, uint64_t bytes, uint64_t stamp);

/* A look at BYTES took from BEGUN to ENDED. */
void looks_paid(struct looks *l, uint64_t bytes, uint64_t begun, uint64_t ended);

/*
 * What is absent of [P, P + BYTES); false where the kernel does not say. Uses L's room, changes
 * none of its figures.
 */
bool freed_look_scan(struct looks *l, const void *p, uint64_t bytes, struct look *look);

/* L belongs to a new stream from STAMP on. */
void looks_begin(struct looks *l, uint64_t stamp);

struct thread;

/*
 * The release of P, one that freed_look_wanted(), was recorded at STAMP; NEW_BYTES is what a
 * realloc asks for, else 0. Look, and record it, if it is due.
 */
void freed_look(struct thread *t, void *p, uint64_t new_bytes, uint64_t stamp);

/* Is the block at P large enough? */
static inline bool freed_look_wanted(const void *p)
{
	return freed_look_from != UINT64_MAX && ((const uint64_t *)p)[-1] >= freed_look_from;
}

#endif
