/*
 * lifetimes.h - how long blocks lived: of each group (a site) the shortest, median, 99th
 * percentile and longest life of the blocks that were released.
 *
 * Shortest and longest are exact. The others come from a histogram whose buckets are 1/32 of a
 * power of two wide (exact below 32 ticks), and are the middle of a bucket: at most 1/64 (1.6 %)
 * off the value at that rank (nearest rank: the smallest life that at least so many of the
 * blocks have not outlived). Memory grows with the distinct buckets of each group, a few
 * dozen as a rule, and not with blocks.
 */
#ifndef MODEL_LIFETIMES_H
#define MODEL_LIFETIMES_H

#include <stddef.h>
#include <stdint.h>

struct lifetimes;

/* In ticks; all 0 where blocks is. */
struct lifetime {
	uint64_t blocks;     /* released */
	uint64_t min, median, p99, max;
};

struct lifetimes *lifetimes_new(void);
void lifetimes_free(struct lifetimes *l);

/* BLOCKS (with sampling more than one) of GROUP have lived for TICKS. GROUP is below 2^32 - 1. */
void lifetimes_add(struct lifetimes *l, uint32_t group, uint64_t ticks, uint64_t blocks);

#define LIFETIMES_NO_ROW UINT32_MAX

/*
 * Fill ROWS (COUNT of them): row i has the blocks of all groups g with ROW_OF_GROUP[g] == i.
 * Groups from GROUP_COUNT on, and those with LIFETIMES_NO_ROW, are left out.
 */
void lifetimes_rows(const struct lifetimes *l, const uint32_t *row_of_group, size_t group_count,
		    struct lifetime *rows, size_t count);

#endif
