/*
 * tree_text.h - a tree of calls drawn with lines: figures on the left, on the right the calls,
 * each under its caller (bottom-up: under what it called). Calls that are the only one under
 * another stand below it without a step to the right, and without its figures again.
 */
#ifndef FORMS_TREE_TEXT_H
#define FORMS_TREE_TEXT_H

#include "forms/call_choice.h"
#include "forms/tree_walk.h"

struct tree_style {
	bool is_bottom_up;
	bool by_line;          /* frames have their lines */
	enum metric metric;
	double threshold;      /* per cent, for the words of what is left out */
};

/* Draw T to run->out, in run->width columns. */
void tree_text_put(const struct run *run, const struct call_tree *t,
		   const struct tree_limits *limits, const struct tree_style *style);

#endif
