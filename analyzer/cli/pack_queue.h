/*
 * pack_queue.h - what waits for the packer, and the buffers that come back.
 *
 * The packer's thread has the lowest priority: on a busy machine it may lose the processor for
 * seconds wherever it stands. So it shares no lock with those who hand over, the drainer above
 * all, whose pause the target would take for the recorder's death; nor does it free memory that
 * they allocated, for malloc has locks too.
 *
 *	item = pack_queue_item(q, bytes);   fill it in
 *	pack_queue_put(q, item);            from any thread
 *	item = pack_queue_take(q);          by one thread at a time
 *	pack_queue_done(q, item);           by the same
 */
#ifndef CLI_PACK_QUEUE_H
#define CLI_PACK_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "segment.h"
#include "session_ring.h"

struct pack_item {
	struct pack_item *next;
	size_t capacity;      /* of data */
	size_t bytes;         /* used */
	bool is_meta;
	enum meta_kind kind;
	struct segment_header header;
	uint8_t data[];
};

struct pack_queue {
	/* of those who hand over */
	pthread_mutex_t lock;
	struct pack_item *spare;
	size_t spare_count;
	uint64_t meta_count;
	uint64_t peak;
	/* of the one who takes: the oldest first */
	struct pack_item *oldest;
	/* of both: chains, the newest first, that either adds to and the other takes whole */
	struct pack_item *waiting;
	struct pack_item *done;
	uint64_t bytes;
};

void pack_queue_init(struct pack_queue *q);

/* What still waits is lost. */
void pack_queue_release(struct pack_queue *q);

/* A buffer for BYTES, which are its `bytes`; the rest is the caller's to set. */
struct pack_item *pack_queue_item(struct pack_queue *q, size_t bytes);

/* Hand ITEM over. Returns the number of metadata records handed over so far: its own, from 1. */
uint64_t pack_queue_put(struct pack_queue *q, struct pack_item *item);

/* The oldest item, or NULL. It counts as waiting until it is done. */
struct pack_item *pack_queue_take(struct pack_queue *q);
void pack_queue_done(struct pack_queue *q, struct pack_item *item);

/* Bytes that wait, headers included; the most that ever did. */
uint64_t pack_queue_bytes(const struct pack_queue *q);
uint64_t pack_queue_peak(struct pack_queue *q);

#endif
