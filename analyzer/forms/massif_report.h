/*
 * massif_report.h - the snapshots of one image in the two shapes that Massif gives them:
 * its file, and the drawing that ms_print makes of that file.
 */
#ifndef FORMS_MASSIF_REPORT_H
#define FORMS_MASSIF_REPORT_H

#include <stdio.h>

#include "forms/massif_tree.h"
#include "forms/massif_watch.h"

struct massif_report {
	const struct massif_options *options;
	const struct snapshots *snapshots; /* one at least */
	struct massif_trees *trees;
	const char *command;     /* escaped, on one line */
	const char *arguments;   /* the options in force, in the words of this form */
	const char *input;       /* path of the recording; escaped */
	uint32_t columns, rows;  /* of the drawing: 4 .. 1000 each */
};

#define MASSIF_TIME_MAX 32

/* The unit's name in the file and in headings: "B", "ms", "i". */
const char *massif_unit_name(enum massif_unit unit);

/* TIME as it stands in the file: "1234", with UNIT_MS "1.234". Returns BUFFER. */
const char *massif_time_text(char *buffer, enum massif_unit unit, uint64_t time);

/* The file that ms_print and massif-visualizer read. */
void massif_put_file(FILE *out, const struct massif_report *report);

/*
 * What ms_print prints for that file, to the byte, but for the names of files in its heading,
 * and that a '#' in a name does not cut the line there.
 */
void massif_draw(FILE *out, const struct massif_report *report);

#endif
