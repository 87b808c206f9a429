/*
 * timeline_plot.h - a timeline for gnuplot: its data, and the script that draws it.
 */
#ifndef FORMS_TIMELINE_PLOT_H
#define FORMS_TIMELINE_PLOT_H

#include <stdbool.h>
#include <stdio.h>

#include "forms/timeline_data.h"

struct plot_style {
	const char *terminal;   /* "pngcairo", "svg" */
	const char *output;     /* the picture's name in the script; NULL: standard output */
	const char *data;       /* the name of the data file in the script */
	const char *title;      /* the program; any text */
	unsigned width, height; /* pixels */
	bool is_log;            /* bytes on a logarithmic axis */
	bool is_estimate;       /* heap figures are estimates (record --sample) */
};

/* The data: a block for each image, then the sizes; comments say what the columns are. */
void timeline_put_data(FILE *out, const struct timeline *t);

/* The commented script. */
void timeline_put_script(FILE *out, const struct timeline *t, const struct plot_style *style);

#endif
