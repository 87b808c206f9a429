/*
 * points.h - the heap as valgrind's DHAT counts it: by the call stack that
 * allocated a block first. What differs from the sites of struct heap:
 *
 *	- realloc stays with the point of the first allocation: one block and the
 *	  new size more in its totals, the difference in what is live. The block
 *	  goes on living; only free ends it ("death").
 *	- a block of 0 bytes counts as one of 1 byte.
 *	- each point has a maximum of its own.
 *
 * Measured with valgrind 3.19 (tests/oracle/test_dhat.c); the rules are in its
 * dhat/dh_main.c: intro_Block, retire_Block, resize_Block, new_block.
 *
 * One pass; memory grows with the sites, and with the live blocks that were
 * resized (all live blocks where time is counted in bytes or calls): their first
 * birth stands nowhere else.
 */
#ifndef MODEL_POINTS_H
#define MODEL_POINTS_H

#include "model/blocktable.h"
#include "model/replay.h"

/* What time is counted in. */
enum points_unit {
	POINTS_TICKS, /* stamps */
	POINTS_BYTES, /* bytes acquired and released so far; a realloc: the difference */
	POINTS_CALLS, /* calls of the allocator so far */
};

/* Sums of ticks over blocks: 64 bits do not hold those of a long recording. */
typedef unsigned __int128 points_sum;

/*
 * One call stack. live = what there was before the first event + total - what
 * ended. Of equal maxima the latest.
 */
struct point {
	struct amount live;
	struct amount total;   /* blocks: allocations and resizings */
	struct amount max;     /* most live bytes of this point, and its blocks then */
	/*
	 * What valgrind 3.15 to 3.24 calls so: max, looked at only where the point grows
	 * while the whole heap stands at its maximum; 0 for a point that never did.
	 */
	struct amount valgrind_max;
	struct amount peak;    /* live when the whole heap's bytes were most; after points_end */
	uint64_t deaths;       /* blocks freed */
	points_sum death_ages; /* sum of their ages, from the first allocation */
	points_sum lifetimes;  /* sum over all blocks, those alive at the end included */
	uint64_t changed;      /* private: time of the last change of live, */
	uint64_t resized;      /* live blocks whose birth is in `births`, */
	uint32_t epoch;        /* and the peak that `peak` belongs to */
};

/* A realloc whose new block waits for its address to become free (struct change). */
struct pending_resize { uint64_t addr, birth; };

struct points {
	struct point *items;   /* by site of the heap; those never used are all zero */
	size_t count, capacity;
	struct amount live, total;
	struct amount peak;    /* most live bytes */
	uint64_t peak_time;    /* since the start, in units, as all times here */
	uint64_t deaths;
	uint64_t zero_blocks;  /* blocks of 0 bytes, counted as 1 byte each */
	uint64_t start, now;   /* in units; ticks are stamps */
	/* private */
	enum points_unit unit;
	const struct heap *heap;
	struct blocktable births;
	struct pending_resize *pending;
	size_t pending_count, pending_capacity;
	uint32_t epoch;
};

/*
 * The points of HEAP, an image of RP, of which CHANGE is the first change to be counted
 * (points_step; then those behind `also`): what lived before it (inherited by a fork,
 * acquired before a window) is live, and nothing else. CHANGE NULL: the image has no
 * changes to be counted, and what lives at the end is taken from its sites. START: the
 * stamp from which ages count.
 */
struct points *points_new(const struct replay *rp, const struct heap *heap,
			  const struct change *change, enum points_unit unit, uint64_t start);
void points_free(struct points *p);

/* CHANGE alone, without what is behind `also`, at STAMP; of another heap: nothing. */
void points_step(struct points *p, const struct change *change, uint64_t stamp);

/* No more changes. END: stamp at which what lives is looked at. */
void points_end(struct points *p, uint64_t end);

/* Units from the start to the end. */
static inline uint64_t points_duration(const struct points *p)
{
	return p->now - p->start;
}

#endif
