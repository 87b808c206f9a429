/*
 * pack.h - from memory to allotrope.data: a thread of the lowest priority takes
 * what the drainer copied, counts it, compresses it and writes it.
 *
 *	p = pack_new(writer, backlog_bytes);
 *	pack_start(p);
 *	pack_meta(...), pack_events(...)    from any thread
 *	pack_stop(p);                       everything handed over is written
 *	pack_totals(p) ...
 *	pack_free(p);
 *
 * Where the output cannot be written (disk full), the first error is kept, what is
 * handed over from then on is counted as lost, and nobody waits.
 */
#ifndef CLI_PACK_H
#define CLI_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/frame_set.h"
#include "segment.h"
#include "session_ring.h"
#include "trace/packed_writer.h"

struct pack;

struct pack_totals {
	uint64_t segments;      /* of events, written */
	uint64_t raw_bytes;     /* of their records, before compression */
	uint64_t stored_bytes;  /* what the file grew by for them */
	uint64_t events;        /* records written */
	uint64_t calls;         /* allocator calls among them; a realloc is one */
	uint64_t lost_events;   /* calls and the like that could not be written; each once */
	uint64_t damaged;       /* segments in which records could not be decoded */
	uint64_t backlog_peak;  /* bytes waiting at most */
	int error;              /* errno of the first failed write; 0: none */
};

/* W stays the caller's; until pack_stop only the pack writes to it. */
struct pack *pack_new(struct packed_writer *w, uint64_t backlog_max);
void pack_free(struct pack *p);

/* Start the thread. Returns 0, or -1 with errno set. */
int pack_start(struct pack *p);

/*
 * Hand over COMMITTED bytes of records behind HEADER (a segment's as in its slot); both are
 * copied. Marks among the records are repeated as metadata (MARK_AT with the pid).
 */
void pack_events(struct pack *p, const struct segment_header *header,
		 const void *records, uint64_t committed);

/* Hand over one metadata record. Returns its number, from 1. */
uint64_t pack_meta(struct pack *p, enum meta_kind kind, const void *payload, size_t bytes);

/* Metadata records that have reached the file: their number. */
uint64_t pack_meta_written(struct pack *p);

/* True where as much waits as may: the caller should leave things where they are. */
bool pack_is_full(struct pack *p);

/*
 * Called by the drainer each round: where more than half of the backlog is in
 * use, pack one segment in the calling thread, whose priority is normal; the
 * low-priority thread stands back until it is a quarter. Returns true
 * where it worked: call again soon.
 */
bool pack_help(struct pack *p);

/*
 * Write everything handed over, metadata too, and end the thread. Once; again:
 * nothing.
 */
void pack_stop(struct pack *p);

/* After pack_stop, or for a rough look. */
struct pack_totals pack_totals(struct pack *p);

/* After pack_stop: the distinct frames of everything packed. Belongs to P. */
const struct frame_set *pack_frames(const struct pack *p);

#endif
