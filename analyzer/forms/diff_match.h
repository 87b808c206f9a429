/*
 * diff_match.h - the call stacks of two states brought together by what people call
 * them, so that different builds and different versions of a library compare: frames
 * are alike where function and object are. Addresses, files and lines do not count; nor
 * do an object's folder and version ("libz.so.1.2.13" is "libz.so"), the name of the
 * program's own file, and the compiler's copies of a function ("f.part.0",
 * "f [clone .cold]"). Code without a function is alike where the offset in
 * the same build of an object is; else where the object is.
 */
#ifndef FORMS_DIFF_MATCH_H
#define FORMS_DIFF_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forms/form.h"
#include "forms/frame_tree.h"
#include "forms/metric.h"
#include "forms/site_rows.h"

/* A state: the images of a recording that are compared, as their replay left them. */
struct diff_side {
	struct run *run;            /* recording, resolver, wrappers, stacks, notes */
	struct heap *const *heaps;
	size_t heap_count;
	struct frame_tree *tree;    /* made and freed by diff_match_* */
};

enum { DIFF_OLD, DIFF_NEW, DIFF_SIDES };

/* A call stack of one kind. */
struct diff_row {
	uint32_t stack;                   /* its place in the order of names, for ties */
	uint8_t kind;                     /* enum alloc_kind */
	frame_node nodes[DIFF_SIDES];     /* in the side's tree; the one with the most bytes there */
	struct site sums[DIFF_SIDES];     /* total, freed, peak, end, temporary; the rest is 0 */
	bool is_known[DIFF_SIDES];        /* the side has the stack: else its sums are 0 */
};

struct diff_match {
	struct diff_side *sides;          /* DIFF_SIDES of them */
	struct diff_row *rows;            /* in the order of names */
	size_t count;
	size_t common_own;                /* rows in both with a function of the program's own file */
};

/* SIDES (DIFF_SIDES of them) outlive it. DEPTH: only so many innermost frames count; 0: all. */
struct diff_match *diff_match_new(struct diff_side *sides, uint32_t depth);
void diff_match_free(struct diff_match *m);

/* The figure of ROW on SIDE. */
uint64_t diff_value(const struct diff_row *row, int side, enum metric metric);

/* new - old, at the ends of int64_t where it does not fit. */
int64_t diff_change(uint64_t old, uint64_t new);

enum diff_status { DIFF_SAME, DIFF_ADDED, DIFF_REMOVED, DIFF_GROWN, DIFF_SHRUNK, DIFF_STATUS_COUNT };

/*
 * What became of the figure: added where the old side never allocated there at all, removed where
 * the new one does not.
 */
enum diff_status diff_status(const struct diff_row *row, enum metric metric);

/* "added", ... */
const char *diff_status_name(enum diff_status status);

/* Whether anything that metrics count differs in ROW. */
bool diff_is_changed(const struct diff_row *row);

/* The frame that names ROW: of the new side where it has the stack; NULL: no call stack. */
const struct symbol_frame *diff_frame(const struct diff_match *m, const struct diff_row *row);

/* The side whose stack is shown for ROW. */
int diff_shown(const struct diff_row *row);

#endif
