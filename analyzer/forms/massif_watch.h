/*
 * massif_watch.h - the events of one image as Massif's snapshots, in one pass.
 *
 *	total = useful heap + extra heap + stacks
 *
 * Memory grows with the call stacks that hold live blocks times the detailed
 * snapshots, at most max_snapshots / detailed_every and the peak.
 */
#ifndef FORMS_MASSIF_WATCH_H
#define FORMS_MASSIF_WATCH_H

#include <stdbool.h>

#include "model/page_heap.h"
#include "model/peak_log.h"
#include "model/replay.h"
#include "model/snapshots.h"
#include "model/valgrind_arena.h"

enum massif_unit {
	UNIT_BYTES,  /* allocated and released so far, extra heap included */
	UNIT_MS,     /* microseconds here; written with three digits as milliseconds */
	UNIT_CALLS,  /* of the allocator; with pages: of the kernel */
};

enum massif_extra {
	EXTRA_ROUNDED,   /* 8 bytes a block and its size rounded up to 16 */
	EXTRA_EXACT,     /* what the program's allocator really took */
	EXTRA_VALGRIND,  /* what valgrind's allocator would have taken, to the byte */
};

struct massif_options {
	enum massif_unit unit;
	double threshold;        /* per cent of the total */
	double peak_inaccuracy;  /* per cent; 0: the exact peak */
	uint32_t max_snapshots, detailed_every;
	uint32_t depth;          /* frames of a call stack */
	bool is_pages;           /* pages of the kernel instead of blocks */
	enum massif_extra extra;
	bool has_stacks;         /* add stack memory from the samples */
};

/* What is live; the parts of a snapshot. */
struct massif_sizes { uint64_t heap, extra, stacks; };

struct massif_watch {
	const struct massif_options *options;
	const struct recording *recording;
	const struct image *image;
	const struct heap *heap;      /* NULL: no event yet */
	struct page_heap pages;       /* with is_pages */
	struct valgrind_arena *arena; /* with EXTRA_VALGRIND, where it can be known; else NULL */
	struct snapshots snapshots;
	uint64_t since_stamp;         /* snapshots begin here */
	bool has_begun;
	uint64_t begin_stamp;
	uint64_t time;                /* in the unit */
	struct massif_sizes now;      /* after the last event */
	uint64_t mapped_blocks;       /* live blocks that are mappings of their own */
	size_t next_sample;
	struct memory_sample sample;  /* the last one with parts; its stack */
	/* the exact peak */
	struct peak_log log;          /* by site */
	struct snapshot peak;         /* without its call stacks; of the last one without exactness */
	uint64_t peak_total;
	bool is_peak_open;            /* nothing was released since the peak */
};

/* OPTIONS outlive W. The window begins at SINCE_STAMP (0: at the start). */
void massif_watch_init(struct massif_watch *w, const struct recording *r,
		       const struct image *image, const struct massif_options *options,
		       uint64_t since_stamp);
void massif_watch_release(struct massif_watch *w);

/* Every event of the image, from the first one, after the replay's step. */
void massif_watch_event(struct massif_watch *w, const struct event *event,
			const struct change *change);

/*
 * After the last event: the exact peak takes its place. WITH_LAST: a detailed snapshot of
 * the state now, at STAMP, is added. There is at least one snapshot then.
 */
void massif_watch_finish(struct massif_watch *w, bool with_last, uint64_t stamp);

#endif
