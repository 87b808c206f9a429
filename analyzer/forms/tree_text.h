/*
 * tree_text.h - a tree of calls drawn with lines: figures on the left, on the right the calls,
 * each under its caller (bottom-up: under what it called). Only where two calls or more are
 * shown under one is there a step to the right. A call that stands alone has no figures
 * where they are those of the line above; what is in brackets before it is no call: what was
 * left out, and what the call above asked for itself.
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
