/*
 * ring.h - a thread's place in the ring: the slot it owns and the position in it.
 */
#ifndef PRELOAD_RING_H
#define PRELOAD_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record_codec.h"
#include "record_kinds.h"
#include "segment.h"
#include "session_ring.h"

/* All zero: no slot. Fields of the hot path. */
struct ring_cursor {
	uint8_t *cursor;                /* where the next record goes */
	uint8_t *limit;                 /* end of the slot, or of its pages that are made */
	struct segment_header *segment; /* beginning of the slot */
	struct codec_base base;
	uint32_t events;                /* in the segment so far: what is lost if it is overwritten */
	uint32_t depth;                 /* frames of the call stack in force for a reader */
};

/* Who claims: what goes into the segment header, and how patient it is. */
struct ring_claimant {
	uint32_t stream;
	uint32_t sequence;    /* of the next segment; ring_claim() counts it on */
	uint32_t thread;      /* thread number */
	uint32_t lost;        /* events lost since the last segment; cleared by a claim */
	enum loss_cause cause;/* why the last claim failed */
	uint64_t retry_ns;    /* CLOCK_MONOTONIC before which no claim is tried; 0: now */
	uint64_t backoff_ns;  /* after the next failure for want of space */
	bool impatient;       /* it waited in vain: do not wait again before a success */
};

/*
 * How long a claim waits at most for a recorder that lives and frees nothing. After that the
 * claimant does not wait again until it was given a slot. Never changed but by tests.
 */
extern uint64_t ring_wait_total_ns;

/* Bytes of room left in the slot; 0 without one. */
static inline size_t ring_room(const struct ring_cursor *c)
{
	return (size_t)(c->limit - c->cursor);
}

/*
 * Publish all bytes before END as a record that is no event by itself: the first half of one
 * (realloc, system call), or a remark on one. END becomes the cursor.
 */
static inline void ring_publish_part(struct ring_cursor *c, uint8_t *end)
{
	c->cursor = end;
	__atomic_store_n(&c->segment->committed,
			 (uint64_t)(end - (uint8_t *)(c->segment + 1)), __ATOMIC_RELEASE);
}

/* The same for an event, or the half that ends it. */
static inline void ring_publish(struct ring_cursor *c, uint8_t *end)
{
	c->events++;
	ring_publish_part(c, end);
}

/*
 * Claim a slot for a segment that begins at STAMP, and point C into it. C must
 * have no slot. False: none to be had (WHO->cause says why); nothing is counted.
 * The owner written into the slot is the process (its thread group leader), so a
 * slot may pass from thread to thread.
 */
bool ring_claim(struct ring_cursor *c, struct ring_claimant *who, uint64_t stamp);

/* Make the rest of the slot's pages. False: they were made, or there is no space. */
bool ring_extend(struct ring_cursor *c);

/* The segment is complete: the slot becomes FULL, C has no slot. Does nothing without one. */
void ring_close(struct ring_cursor *c);

/* Forget the slot without touching it: it is the parent process's. */
void ring_forget(struct ring_cursor *c);

#endif
