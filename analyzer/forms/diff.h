/*
 * diff.h - what is compared and how it is shown: the reports of `allotrope diff`. They are
 * no forms: a form reads one recording. cli/cmd_diff.c parses, opens and replays both sides.
 */
#ifndef FORMS_DIFF_H
#define FORMS_DIFF_H

#include <jansson.h>

#include "forms/diff_match.h"

struct diff {
	struct diff_side sides[DIFF_SIDES];
	struct diff_match *match;
	enum metric metric;
	bool is_moments;                    /* two moments of one recording */
	const char *moments[DIFF_SIDES];    /* as they were typed; NULL: the end of the recording */
	bool is_whole;                      /* all programs of each recording, added up */

	/* Output; the new side's run has the same, for what shared code prints. */
	FILE *out;
	enum emit_format format;
	bool color;
	int width;
	size_t top;                         /* rows wanted; 0: all */
	const char *sort;                   /* NULL: the default */
	bool has_depth;                     /* text shows all frames that were compared */
	json_t *notes;                      /* strings, for JSON; may be NULL; not taken over */
};

/*
 * Choose the images to compare: sides[i].heaps and heap_count, the caller's arrays. FIXED[i]: --pid
 * or --all decided for that side, its run->heaps are taken; else a program that
 * both have: the new side's default image and the one most like it, or the other way
 * round. Returns 0; 1 where the defaults of each are taken, which are programs of
 * different names.
 */
int diff_choose_images(struct diff *d, const bool fixed[DIFF_SIDES]);

/* The program's name of the first image of SIDE: "jq"; the caller's. "nothing" where there is none. */
char *diff_program(const struct diff *d, int side);

/* Whether `sort` is known to the report of call stacks, of sizes: 0, or -1 as the reports. */
int diff_sites_check(const struct diff *d);
int diff_sizes_check(const struct diff *d);

/* Two lines of text: what the sides are. */
void diff_put_sides(const struct diff *d);

/*
 * The reports. Each returns 1 where there is a difference, 0 where there is none (text then says
 * so), -1 with the diag of the new side's run set.
 */
int diff_put_sites(struct diff *d);
int diff_put_sizes(struct diff *d);
int diff_put_summary(struct diff *d);
int diff_put_folded(struct diff *d);
int diff_put_picture(struct diff *d); /* SVG */

/*
 * The table of call stacks of diff_put_sites to OUT in FORMAT, without headline; ROWS_SHOWN (may be
 * NULL) gets how many. Returns how many differ, -1 for an unknown word of sort.
 */
int64_t diff_sites_table(struct diff *d, FILE *out, enum emit_format format, size_t top,
			 size_t *rows_shown);

/* What is compared, in words: "bytes live at the peak". */
const char *diff_metric_text(const struct diff *d);

/* Old and new of one figure in per cent: +34.0; not known where old is 0. */
struct cell diff_percent(uint64_t old, uint64_t new);

#endif
