/*
 * session.h - this process's place in the recording: the mapped ring, the
 * image number, the options in force.
 */
#ifndef PRELOAD_SESSION_H
#define PRELOAD_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "session_ring.h"

extern struct session {
	struct ring_header *ring;    /* NULL: not recording */
	uint64_t *slot_words;
	uint8_t *slots;
	uint32_t slot_count;         /* that this process could map */
	uint32_t image;              /* our number */
	uint32_t pid;
	bool recording;              /* false: pass everything through */
	struct ring_options options; /* copy of the header's */
} session __attribute__((visibility("hidden")));

/* Count COUNT events lost by CAUSE, for the whole session. */
static inline void session_loss(enum loss_cause cause, uint64_t count)
{
	if (session.ring)
		__atomic_fetch_add(&session.ring->losses[cause], count,
				   __ATOMIC_RELAXED);
}

#endif
