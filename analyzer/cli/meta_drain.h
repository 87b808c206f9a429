/*
 * meta_drain.h - the ring's metadata area to the packer: record after record as
 * they appear, around those that a killed writer left incomplete. Processes that
 * announce themselves are made known to the family. One thread at a time.
 */
#ifndef CLI_META_DRAIN_H
#define CLI_META_DRAIN_H

#include <stddef.h>
#include <stdint.h>

#include "cli/family.h"
#include "cli/pack.h"
#include "cli/session_file.h"

#define HOLES_MAX 256

struct meta_drain {
	uint64_t records;       /* handed over so far */
	uint64_t hole_records;  /* places passed whose record was never completed */

	/* private */
	struct session_file *s;
	struct pack *pack;
	struct family *family;
	uint64_t cursor;        /* bytes of the area that are done */
	uint64_t stuck_since;   /* the record at the cursor is incomplete; 0: it is not */
	uint64_t punched;       /* metadata before this was given back */
	uint64_t punch_to;      /* the next step of it ... */
	uint64_t punch_after;   /* ... when the output holds this many records */
	uint64_t handed_over;   /* number of the last record given to the packer */
	uint8_t *copy;          /* of a part of the area */
	size_t copy_capacity;
	struct hole { uint64_t from, to; } holes[HOLES_MAX];
	unsigned hole_count;
};

/* All pointers stay the caller's. */
void meta_drain_init(struct meta_drain *d, struct session_file *s, struct pack *p,
		     struct family *f);
void meta_drain_release(struct meta_drain *d);

/* Hand over what is complete; returns the number of records. */
unsigned meta_drain_take(struct meta_drain *d);

/* The last look: also what stands behind or in holes. May be called again. */
void meta_drain_finish(struct meta_drain *d);

#endif
