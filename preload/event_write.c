/*
 * event_write.c - the slow side of recording: segments begin and end here.
 * Relies on tstate.c and ring.c. Promises that each event that was not written is
 * counted once, and to keep errno.
 */
#include <errno.h>

#include "clock.h"
#include "event_write.h"
#include "modules.h"
#include "process_record.h"
#include "session.h"

void event_lost(struct thread *t, enum loss_cause cause)
{
	session_loss(cause, 1);
	if (!t->state)
		return;
	t->state->gap++;
	t->state->claimant.lost++;
	t->state->claimant.cause = cause;
}

static void write_thread(struct thread *t, uint64_t stamp)
{
	uint8_t *p = put_head(t->ring.cursor, &t->ring.base, EVENT_THREAD, stamp);

	p = varint_put(p, t->number);
	ring_publish_part(&t->ring, p);
	t->state->number = t->number;
}

static void write_gap(struct thread *t, enum loss_cause cause, uint64_t stamp)
{
	uint8_t *p = put_head(t->ring.cursor, &t->ring.base, EVENT_LOSS, stamp);

	*p++ = (uint8_t)cause;
	p = varint_put(p, t->state->gap);
	ring_publish_part(&t->ring, p);
	t->state->gap = 0;
}

/* The segment is full. What is looked at now and then is looked at here. */
static void segment_end(struct thread *t)
{
	ring_close(&t->ring);
	process_record_clock_if_due();
	tstate_check_name(t);
	modules_poll();
}

static bool segment_begin(struct thread *t, uint64_t stamp)
{
	enum loss_cause cause = t->state->claimant.cause;

	if (t->ring.segment)
		segment_end(t);
	if (__atomic_load_n(&session.ring->stopping, __ATOMIC_RELAXED))
		session_stop();
	if (!session.recording || !ring_claim(&t->ring, &t->state->claimant, stamp))
		return false;
	t->state->number = t->number;
	t->pop = 0;
	if (t->stacks == STACKS_CAPTURED)
		unwind_restart(t->unwind);
	else
		t->stacks = STACKS_NONE_PENDING;
	if (t->state->gap)
		write_gap(t, cause, stamp);
	return true;
}

/* In the slot that the thread has, as far as it goes. */
static bool room_find(struct thread *t, size_t need, uint64_t stamp)
{
	/* room there is only where a state has just come with its slot, or by extending it */
	if (ring_room(&t->ring) >= need + RECORD_MAX ||
	    (ring_extend(&t->ring) && ring_room(&t->ring) >= need + RECORD_MAX)) {
		if (t->state->number != t->number)
			write_thread(t, stamp);
		return true;
	}
	return false;
}

static bool segment_make(struct thread *t, size_t need, uint64_t stamp)
{
	if (!segment_begin(t, stamp)) {
		if (session.recording)
			event_lost(t, t->state->claimant.cause);
		return false;
	}
	if (ring_room(&t->ring) >= need ||
	    (ring_extend(&t->ring) && ring_room(&t->ring) >= need))
		return true;
	event_lost(t, LOSS_TOO_LONG);
	return false;
}

static bool room_make(struct thread *t, size_t need, uint64_t stamp)
{
	if (!t->state && !tstate_attach(t)) {
		session_loss(LOSS_NO_STATE, 1);
		return false;
	}
	return room_find(t, need, stamp) || segment_make(t, need, stamp);
}

__attribute__((noinline, cold)) bool event_room_make(struct thread *t, size_t need,
						      uint64_t stamp)
{
	int saved = errno;
	bool made = room_make(t, need, stamp);

	errno = saved;
	return made;
}

bool event_segment_new(struct thread *t, size_t need, uint64_t stamp)
{
	int saved = errno;
	bool made = segment_make(t, need, stamp);

	errno = saved;
	return made;
}

void event_write_timing(struct thread *t)
{
	uint64_t duration = t->call_end > t->call_start ? t->call_end - t->call_start : 0;
	uint8_t *p;

	/* its call is in this segment: a new one would be no place for it */
	if (ring_room(&t->ring) < RECORD_MAX &&
	    !(ring_extend(&t->ring) && ring_room(&t->ring) >= RECORD_MAX))
		return;
	t->phase = PHASE_RECORD;
	p = put_head(t->ring.cursor, &t->ring.base, EVENT_TIMING, t->call_end);
	p = varint_put(p, duration);
	ring_publish_part(&t->ring, p);
}
