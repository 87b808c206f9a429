/*
 * massif_tree.h - what was live at a moment as Massif's heap tree: lines in their order,
 * each with its children behind it. A child is the caller; code is told apart by
 * address, and inlined calls are lines with the same address.
 */
#ifndef FORMS_MASSIF_TREE_H
#define FORMS_MASSIF_TREE_H

#include "model/snapshots.h"
#include "symbol/resolve.h"
#include "symbol/wrappers.h"

struct massif_line {
	uint32_t depth;        /* 0: the root */
	uint32_t children;
	uint64_t bytes;
	const char *label;     /* "0x1091A7: leaf (demo.c:5)", escaped; NULL: see `places` */
	uint32_t places;       /* so many that are below the threshold, together */
};

struct massif_lines {
	struct massif_line *items;
	size_t count, capacity;
	uint64_t total;        /* bytes that per cents are of: useful + extra + stacks */
};

/* What lines are made with: names are found once for all trees. */
struct massif_trees;

/* THRESHOLD in per cent of the total; DEPTH: addresses of a call stack, at least 1. */
struct massif_trees *massif_trees_new(struct resolver *resolver, const struct wrappers *wrappers,
				      const struct stacks *stacks, bool is_pages,
				      double threshold, uint32_t depth);
void massif_trees_free(struct massif_trees *t);

/* The tree of S, which is a detailed one. Labels are valid until massif_trees_free. */
void massif_lines_make(struct massif_trees *t, const struct snapshot *s,
		       struct massif_lines *lines);
void massif_lines_release(struct massif_lines *lines);

/* "in 3 places, all below massif's threshold (1.00%)" of LINE without a label; the caller's. */
char *massif_places_text(const struct massif_line *line, double threshold);

#endif
