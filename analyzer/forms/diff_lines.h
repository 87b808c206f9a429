/*
 * diff_lines.h - all call stacks of both sides as folded lines, the outermost function first.
 */
#ifndef FORMS_DIFF_LINES_H
#define FORMS_DIFF_LINES_H

#include "forms/diff.h"

struct diff_line {
	char *text;                   /* "main;load;read_row", escaped; ';' in names is ',' */
	uint64_t values[DIFF_SIDES];  /* of the metric; not both 0 */
};

struct diff_lines {
	struct diff_line *items;      /* in an order in which lines that begin alike stand together */
	size_t count;
	bool differs;
};

/* The lines of D's match and metric. Functions of one name in two objects are one. */
struct diff_lines *diff_lines_new(const struct diff *d);
void diff_lines_free(struct diff_lines *lines);

/* The larger of both figures: how wide a line is drawn, so that what is gone is seen too. */
uint64_t diff_line_width(const struct diff_line *line);

#endif
