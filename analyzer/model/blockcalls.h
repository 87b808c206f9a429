/*
 * blockcalls.h - calls of the allocator: what a record means for the blocks of
 * its image, and which records of a stream belong together.
 *
 * A realloc is two records. From its begin on the address of the old block may
 * be another thread's, so the block leaves the table; it stays in all figures
 * until the end, and comes back to the table where the realloc failed or its
 * end was never recorded. The figures then move in one step: the moment between
 * is no peak and hides none (as in DHAT and Massif).
 */
#ifndef MODEL_BLOCKCALLS_H
#define MODEL_BLOCKCALLS_H

#include "model/heap.h"
#include "model/memcalls.h"

/* A realloc between its two records. */
struct open_realloc {
	struct open_realloc *next;
	uint64_t addr;
	uint64_t stamp;       /* of its begin */
	uint32_t thread;      /* several threads may share a stream in their last moments */
	bool has_block;       /* `old` was live; else nobody knows the block (yet) */
	struct block old;
};

struct stream_state {
	struct heap_state *heap;    /* of its image; NULL: not looked up, or none */
	struct open_realloc *opens;
	struct memcall *memcall;    /* NULL: the stream made no system call so far */
	uint32_t image;             /* of heap */
	uint32_t acquires;          /* counted so far, modulo 2^32 */
	uint64_t last_weight;       /* struct call.weight of the last call, */
	uint8_t last_func;          /* and its function: what a TIMING record is about */
	bool is_known;              /* image and heap are set */
};

/* All streams of a replay, by number. */
struct streams {
	struct stream_state *items;
	size_t count;
	struct open_realloc *spare; /* a realloc allocates nothing */
};

void streams_release(struct streams *s);

/*
 * Each of these applies one record to the heap of stream event->stream, which
 * is known. The change goes to changes->items[0], further ones behind it.
 */
void blockcall_acquire(struct streams *s, const struct event *event,
		       struct change_list *changes);  /* ALLOC CALLOC ALIGNED REALLOC_END */
void blockcall_free(struct streams *s, const struct event *event,
		    struct change_list *changes);
void blockcall_realloc_begin(struct streams *s, const struct event *event,
			     struct change_list *changes);
void blockcall_null(struct streams *s, const struct event *event,
		    struct change_list *changes);
void blockcall_failed(struct streams *s, const struct event *event,
		      struct change_list *changes);

/* What has waited too long at STAMP (skew.h) is decided. */
void blockcall_expire(struct heap_state *h, uint64_t stamp, struct change_list *changes);

/* Stream INDEX has no more events: an open realloc never ended. */
void blockcall_end_stream(struct streams *s, size_t index);

#endif
