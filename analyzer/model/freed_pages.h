/*
 * freed_pages.h - how much of what was asked for had been touched when it was released: large
 * heap blocks by site, from the looks at their pages that the recording has (look_record.h).
 *
 * What lay on an absent page was never touched by that block, or was given back to the kernel
 * by the program (madvise): a lower bound of what was asked for in vain. All else was resident,
 * an upper bound of what was touched: in recycled memory an earlier block may have done it. Of
 * a block with a mapping of its own both are exact, to the page.
 *
 * Fed with the events of a replay, in order.
 */
#ifndef MODEL_FREED_PAGES_H
#define MODEL_FREED_PAGES_H

#include "base/idmap.h"
#include "look_record.h"
#include "model/replay.h"
#include "trace/event.h"
#include "trace/map_snapshots.h"

/* The large blocks of one site that were released, by free or by a realloc that moved or shrank them. */
struct freed_row {
	const struct heap *heap;
	site_id site;
	struct amount freed;    /* requested bytes; with sampling what they stand for */
	uint64_t mapped;        /* of freed.blocks: those with a mapping of their own */
	uint64_t recorded;      /* releases in the recording: freed.blocks without sampling */
	uint64_t looked;        /* of recorded: those whose pages were looked at */
	uint64_t untouched_seen;/* bytes never touched of those looked at */
	/* of those looked at, each by the releases it stands for */
	double weighted_asked, weighted_untouched;
};

/* What the last release of a stream was. */
struct freed_last {
	uint32_t row;           /* index + 1; 0: none that counts */
	uint32_t thread;
	bool is_realloc, has_look;
	struct block block;
	struct look look;       /* of a realloc under way */
};

struct large_block;

/* All zero is empty. */
struct freed_pages {
	struct freed_row *rows;
	size_t count, capacity;
	bool has_kept;          /* to be set first: freed_pages_add_kept() will be called */
	/* private */
	struct large_block *live, *spare;
	struct idmap index;
	struct freed_last *last; /* by stream */
	size_t last_count;
	size_t open;            /* of last: those that wait for a look or the end of a realloc */
};

void freed_pages_release(struct freed_pages *f);

/* A block whose pages are looked at. */
static inline bool freed_is_large(const struct block *b)
{
	return b->size + b->slack >= LOOK_BYTES_MIN;
}

/* private: freed_pages_add for what may matter */
void freed_pages_apply(struct freed_pages *f, const struct event *event,
		       const struct change *change);

/* EVENT, and what it did. Small blocks, which nearly all are, cost next to nothing. */
static inline void freed_pages_add(struct freed_pages *f, const struct event *event,
				   const struct change *change)
{
	if (f->open || change->also || event->r.kind == EVENT_REALLOC_BEGIN ||
	    (change->acquired && freed_is_large(&change->block)) ||
	    (change->released && freed_is_large(&change->old)))
		freed_pages_apply(f, event, change);
}

/*
 * After the last event: count large blocks that were never released as if they had been at the end
 * of their image, by the snapshot of its pages that was taken then. Those of images without
 * one, and what a child inherited, stay uncounted.
 */
void freed_pages_add_kept(struct freed_pages *f, const struct map_snapshots *snapshots);

/* Add the figures of FROM to those of TO, whose heap and site stay. */
void freed_row_sum(struct freed_row *to, const struct freed_row *from);

/*
 * Of ROW's freed bytes those never touched, at least. The sum itself where each was looked at, else
 * an estimate: that the others were touched like those looked at. 0 where none was: ask `looked`.
 */
uint64_t freed_row_untouched(const struct freed_row *row);

/* Is that an estimate? */
bool freed_row_is_estimate(const struct freed_row *row);

/*
 * Requested bytes of B on pages that were absent when LOOK was taken, at least; exact where the
 * block has no more than one page behind its requested end. PAGE: bytes of a page, a power of two.
 */
uint64_t freed_untouched(const struct block *b, const struct look *look, uint64_t page);

#endif
