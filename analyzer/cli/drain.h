/*
 * drain.h - from the ring to memory: a thread that takes full slots and new
 * metadata out of the ring as they come, and hands them to the packer.
 */
#ifndef CLI_DRAIN_H
#define CLI_DRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/family.h"
#include "cli/pack.h"
#include "cli/session_file.h"

struct drain;

struct drain_totals {
	uint64_t slots;     /* drained with records in them */
	uint64_t partial;   /* of these: their owner was gone, they were not full */
	uint64_t damaged;   /* slots whose header made no sense */
	uint64_t metadata;  /* metadata records */
	uint64_t holes;     /* metadata that was never completed */
};

/* All pointers stay the caller's. */
struct drain *drain_new(struct session_file *s, struct pack *p, struct family *f);
void drain_free(struct drain *d);

/* Start the thread. Returns 0, or -1 with errno set. */
int drain_start(struct drain *d);

/*
 * End the thread, then take everything that is left. Where processes still run
 * their slots are copied as far as they are and stay theirs. Once; again: nothing.
 */
void drain_stop(struct drain *d);

/*
 * One round in the calling thread: heartbeat, metadata, full slots. Returns how much
 * it took. The thread does this all the time; public for tests.
 */
unsigned drain_round(struct drain *d);

/* Take the slots of images that are gone, full or not. The thread does it 20 times a second. */
void drain_reap(struct drain *d);

/* Rough while the thread runs, exact after drain_stop. */
struct drain_totals drain_totals(const struct drain *d);

#endif
