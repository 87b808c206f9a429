/*
 * snapshots.h - which moments of a run are kept so that a few dozen of them tell its
 * story, as valgrind's Massif does it: one at each event until there is no more
 * room, then half of them go, those that stand closest together first, and from
 * then on a new one is taken only after the smallest gap that is left.
 *
 * Time here is any number that does not decrease.
 */
#ifndef MODEL_SNAPSHOTS_H
#define MODEL_SNAPSHOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/stacks.h"

/* Live bytes that were allocated with one call stack. */
#define STACK_BEFORE UINT32_MAX /* before the recording began */
struct stack_bytes { stack_id stack; uint64_t bytes; };

enum snapshot_kind {
	SNAPSHOT_NORMAL,
	SNAPSHOT_DETAILED,  /* has `stacks` */
	SNAPSHOT_PEAK,      /* the same; at most one, never culled */
};

struct snapshot {
	uint64_t time;
	uint64_t stamp;
	uint64_t heap_bytes, extra_bytes, stack_bytes;
	uint8_t kind;               /* enum snapshot_kind */
	struct stack_bytes *stacks; /* owned; what was live then, in no order */
	size_t stack_count;
};

struct snapshots {
	struct snapshot *items;     /* by time */
	size_t count;               /* less than max */
	size_t max;                 /* at least 3 */
	uint32_t detailed_every;    /* every how manyth is detailed; at least 1 */
	uint32_t since_detailed;
	uint64_t gap;               /* smallest one after the last culling */
	uint64_t earliest;          /* the time of the next normal one */
};

void snapshots_init(struct snapshots *s, size_t max, uint32_t detailed_every);
void snapshots_release(struct snapshots *s);

/* Is it time for a normal one? */
static inline bool snapshots_is_due(const struct snapshots *s, uint64_t time)
{
	return time >= s->earliest;
}

/* The next normal one is to be a detailed one. */
static inline bool snapshots_wants_detail(const struct snapshots *s)
{
	return s->since_detailed + 1 >= s->detailed_every;
}

/*
 * Add SNAPSHOT at the end; its stacks belong to S then. A peak makes an older one a
 * detailed one. Culls where there is no more room.
 */
void snapshots_add(struct snapshots *s, const struct snapshot *snapshot);

/*
 * Put SNAPSHOT, a peak that was found afterwards, behind all that are not later. Culls
 * nothing. No other peak may be there.
 */
void snapshots_insert_peak(struct snapshots *s, const struct snapshot *snapshot);

#endif
