/*
 * event_write.h - room in the thread's segment for the next record, and the
 * records that the library writes for itself (thread change, loss, timing).
 */
#ifndef PRELOAD_EVENT_WRITE_H
#define PRELOAD_EVENT_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record_codec.h"
#include "tstate.h"

/*
 * Give T a segment with NEED bytes of room: a state where it has none, the rest of its
 * slot or a new one where the old one is full; counts a loss where there is none to be
 * had. After a true result the next stack must be taken anew, as a new segment wants a
 * whole one. STAMP is the event's.
 */
bool event_room_make(struct thread *t, size_t need, uint64_t stamp);

/* The same of T, which has a state, but in a new segment in any case. */
bool event_segment_new(struct thread *t, size_t need, uint64_t stamp);

/* Count an event of T that could not be written. */
void event_lost(struct thread *t, enum loss_cause cause);

/* TIMING of the call that T is about to leave. */
void event_write_timing(struct thread *t);

/* True: NEED bytes may be written at t->ring.cursor. */
static inline bool event_room(struct thread *t, size_t need, uint64_t stamp)
{
	return __builtin_expect(ring_room(&t->ring) >= need, 1) ||
	       event_room_make(t, need, stamp);
}

#endif
