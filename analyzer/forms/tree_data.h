/*
 * tree_data.h - a tree of calls for programs: CSV, a row for each call; JSON, calls within
 * calls. Written as the tree is gone through.
 */
#ifndef FORMS_TREE_DATA_H
#define FORMS_TREE_DATA_H

#include "forms/call_choice.h"
#include "forms/tree_walk.h"

/* Which tree it is. */
struct tree_label {
	const struct image *image;
	enum alloc_kind kind;
	enum metric metric;
	bool is_bottom_up;
	bool by_line;          /* frames have lines */
};

struct tree_data;

/* Begin with the format of RUN: EMIT_CSV or EMIT_JSON. */
struct tree_data *tree_data_new(struct run *run);

void tree_data_put(struct tree_data *d, const struct call_tree *t,
		   const struct tree_limits *limits, const struct tree_label *label);

/* End the file. */
void tree_data_free(struct tree_data *d);

#endif
