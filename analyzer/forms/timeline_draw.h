/*
 * timeline_draw.h - a timeline on a terminal: one small panel for each curve, drawn with
 * blocks of eighths (or with '#' where the locale has none).
 */
#ifndef FORMS_TIMELINE_DRAW_H
#define FORMS_TIMELINE_DRAW_H

#include <stdbool.h>
#include <stdio.h>

#include "forms/timeline_data.h"

struct draw_style {
	int width;      /* columns, at least 40 */
	bool is_utf8;
	bool color;
};

/* The columns of a curve's area in WIDTH columns: what T should have as rows. */
size_t timeline_draw_rows(int width);

/* Draw series S of T, which has timeline_draw_rows rows. */
void timeline_draw(FILE *out, const struct timeline *t, const struct timeline_series *s,
		   const struct draw_style *style);

#endif
