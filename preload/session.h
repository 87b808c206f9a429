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
	bool sandboxed;              /* a seccomp filter may kill: no system call without need */
	bool no_mincore;             /* there was a seccomp filter at the start that may kill for it */
	struct ring_options options; /* copy of the header's */
	uint8_t *meta;               /* the metadata area */
	uint64_t meta_mapped;        /* bytes of it that this process could map */
	uint64_t owner_start;        /* start time of this process, in clock ticks (stat, field 22) */
	uint32_t threads;            /* of this process when the library started; 0: not known */
	uint32_t features;           /* FEATURE_* bits in force */
} session __attribute__((visibility("hidden")));

/*
 * Nonzero while events are recorded. It lies in a page that fork wipes: the child
 * of any kind of fork finds zero and takes the slow path, where session_revive()
 * makes it a process of its own.
 */
extern const volatile uint64_t *session_live __attribute__((visibility("hidden")));

/*
 * Find or create the ring and map it, by the environment ENV. False: this
 * process is not to be recorded, or cannot be. Once, at start. Fills all of
 * struct session but features; recording stays false.
 */
bool session_open(char *const *env);

/* Begin to record: session_live becomes nonzero. */
void session_resume(void);

/* Stop recording in this process, for good. */
void session_stop(void);

/* What fork does to the page of session_live, where the kernel could not be told to. */
void session_wipe(void);

/*
 * True where session_live is zero because this process is a forked child that
 * was not yet told so.
 */
bool session_is_forked(void);

/*
 * A forked child takes its place: new pid, image number and start time. Returns
 * false where the options say that it is not recorded (session_stop() was done).
 */
bool session_adopt_fork(void);

/*
 * Bare run: put ALLOTROPE_RING into the environment, so that children join (or see
 * that they are not to be recorded). Idempotent.
 */
void session_export(void);

/* The absolute path of the ring; "" without one. */
const char *session_ring_path(void);

/* True where ADDRESS lies in the mapping (or mappings) of the ring. */
static inline bool session_maps(uint64_t address)
{
	return address - (uint64_t)session.ring <
		       (uint64_t)(session.meta - (uint8_t *)session.ring) + session.meta_mapped ||
	       address - (uint64_t)session.slot_words <
		       (uint64_t)(session.slots - (uint8_t *)session.slot_words) +
		       (uint64_t)session.slot_count *
		       (session.ring ? session.ring->slot_bytes : 0);
}

/* Count COUNT events lost by CAUSE, for the whole session. */
static inline void session_loss(enum loss_cause cause, uint64_t count)
{
	if (session.ring)
		__atomic_fetch_add(&session.ring->losses[cause], count,
				   __ATOMIC_RELAXED);
}

#endif
