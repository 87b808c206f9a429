/*
 * timeline_data.h - a recording as curves: what was live, mapped and resident at so many
 * moments evenly apart, and how often which size was asked for when.
 *
 * A row is the state at the end of its step; its most_bytes is the maximum within the step, so
 * that the largest of them is the peak to the byte, whatever the number of rows.
 */
#ifndef FORMS_TIMELINE_DATA_H
#define FORMS_TIMELINE_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "model/replay.h"

/* Rows in the grid of sizes: eight for each power of two. */
#define SIZE_STEPS 8
#define SIZE_ROWS  (SIZE_STEPS * 48)

/* Columns of the grid of sizes. */
#define SIZE_COLUMNS 250

struct timeline_row {
	struct amount live;          /* KIND_HEAP, requested */
	uint64_t most_bytes;         /* the most live bytes within the step */
	uint64_t mapped_bytes;       /* mapped by the program itself */
	uint64_t malloc_mapped_bytes;/* by malloc for itself, but the break */
	uint64_t break_bytes;        /* program break over its first value */
	uint64_t most_mapped, most_malloc_mapped, most_break; /* of these the most within the step */
	uint64_t rss_bytes;          /* largest sample of the step, or else the last before */
	bool has_rss;
	uint64_t calls;              /* calls of allocator functions in the step */
};

/* One image. */
struct timeline_series {
	const struct image *image;
	struct timeline_row *rows;   /* timeline.row_count */
	size_t filled;               /* private: rows before this one are complete */
	struct timeline_row now;     /* private: the row being filled */
	uint64_t peak_bytes, peak_stamp; /* the most live bytes of all steps, the first time */
};

/* How often sizes were asked for: one point of the article's picture. */
struct timeline_cell {
	uint64_t size;               /* the first size that fell here */
	uint64_t calls;              /* 0: none */
};

struct timeline {
	const struct recording *recording;
	uint64_t from_stamp, to_stamp; /* the span; to > from */
	double per_tick;             /* private: 1 / ticks of the span */
	size_t row_count;
	struct timeline_series *series; size_t series_count, series_capacity;
	struct timeline_cell *cells;   /* SIZE_COLUMNS * SIZE_ROWS, of all images; NULL: no call yet */
};

/* Prepare T, all zero, for ROWS rows between the two stamps. */
void timeline_init(struct timeline *t, const struct recording *r, uint64_t from_stamp,
		   uint64_t to_stamp, size_t rows);
void timeline_release(struct timeline *t);

/*
 * Every event of an image that is shown, in order, after the replay's step; those before the
 * span too: they make its first row right.
 */
void timeline_event(struct timeline *t, const struct event *event, const struct change *change);

/* IMAGE has a row of its own even where it has no event: resident memory may be known. */
void timeline_add_image(struct timeline *t, uint32_t image);

/* After the last event: fill the rows to the end, add the samples of resident memory. */
void timeline_finish(struct timeline *t);

/* The end of row I in seconds since the recording began. */
double timeline_row_seconds(const struct timeline *t, size_t i);

/* The middle of column I of the grid of sizes, in the same seconds. */
double timeline_column_seconds(const struct timeline *t, size_t i);

/* Seconds that one row stands for. */
double timeline_step_seconds(const struct timeline *t);

#endif
