/*
 * dhat_report.h - what the outputs of the form dhat share: the points of one image as
 * sorted rows, and times in the words of --time-unit.
 */
#ifndef FORMS_DHAT_REPORT_H
#define FORMS_DHAT_REPORT_H

#include "forms/form.h"
#include "model/points.h"

/* Frames under a point in text, unless --depth says otherwise: valgrind's --num-callers. */
#define DHAT_FRAMES 12

struct dhat_row {
	const struct point *point;
	stack_id stack;              /* where its blocks were allocated first */
};

struct dhat_report {
	const struct image *image;
	struct points *points;
	struct dhat_row *rows;       /* points that had blocks, in the order wanted */
	size_t count;
	enum points_unit unit;
	uint32_t depth;              /* frames shown in text; 0: all */
	bool has_valgrind_max;       /* max_live of a point is valgrind's */
	const char *sort_word;       /* "max-bytes-live" */
};

/* The maximum of ROW's point that is asked for. */
static inline struct amount dhat_max(const struct dhat_report *report,
				     const struct dhat_row *row)
{
	return report->has_valgrind_max ? row->point->valgrind_max : row->point->max;
}

/*
 * A sum of times in whole units (microseconds, bytes, calls), saturated; the same in
 * nanoseconds for POINTS_TICKS, else as it is.
 */
uint64_t dhat_units(const struct run *run, const struct dhat_report *report, points_sum sum);
uint64_t dhat_ns(const struct run *run, const struct dhat_report *report, points_sum sum);

/* The report in the words of exp-dhat. */
void dhat_put_text(struct run *run, const struct dhat_report *report);

/* The file that dh_view.html reads (dhatFileVersion 2). */
void dhat_put_file(struct run *run, const struct dhat_report *report);

#endif
