/*
 * skew.h - events that came a moment too early. The clocks of two cores may
 * differ by some tens of cycles, so that an acquire is read before the release
 * that made its address free, or a release before its acquire. Such an event
 * waits, for at most the heap's skew_ticks, until its counterpart is read.
 *
 * The common path pays one test: heap_state.held_count.
 */
#ifndef MODEL_SKEW_H
#define MODEL_SKEW_H

#include "model/heap.h"

/* At most so many wait in one heap; one more, and the oldest has waited enough. */
#define HELD_MAX 256

struct held {
	uint64_t stamp;
	bool is_acquire;
	bool is_realloc;      /* a release by realloc: its end may still come */
	uint32_t thread;      /* of a release by realloc */
	uint32_t stream;
	stack_id stack;       /* of a release: in force then */
	uint64_t usable;      /* of an acquire */
	struct block block;   /* acquire: the new block; release: only addr counts */
};

/* Let H wait. Returns true where *EXPIRED had to make room (the oldest). */
bool skew_hold(struct heap_state *heap, const struct held *h, struct held *expired);

/* Take out the oldest one that waits for ADDR, an acquire or a release. */
bool skew_match(struct heap_state *heap, uint64_t addr, bool is_acquire,
		struct held *match);

/* Take out the oldest one that has waited too long at STAMP. */
bool skew_expire(struct heap_state *heap, uint64_t stamp, struct held *expired);

#endif
