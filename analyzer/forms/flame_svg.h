/*
 * flame_svg.h - draws boxes upon boxes as one SVG that needs nothing else: it reads as a still
 * picture (names clipped to their boxes, all of it on hover), and where scripts run, boxes
 * can be clicked to zoom in and names searched for. Knows nothing of what the boxes mean.
 */
#ifndef FORMS_FLAME_SVG_H
#define FORMS_FLAME_SVG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Least and most of --width: pixels. */
#define FLAME_WIDTH_MIN 300
#define FLAME_WIDTH_MAX 20000

struct flame_key {
	const char *label;
	uint32_t rgb;
};

/* All texts are of any content: they are escaped here. */
struct flame_picture {
	const char *title;
	const char *subtitle;
	const struct flame_key *keys;      /* the legend */
	size_t key_count;
	const char *const *notes;          /* lines under the picture */
	size_t note_count;
	int width;                         /* of the whole, in pixels */
	uint32_t levels;                   /* rows of boxes */
	bool is_hanging;                   /* level 0 on top, else at the bottom */
	uint64_t total;                    /* what the full width stands for; 0: an empty picture */
};

struct flame_box {
	uint32_t level;
	uint64_t start, value;             /* start + value <= total */
	const char *name;                  /* what is searched; on hover the first line */
	const char *label;                 /* drawn; must fit (flame_svg_text_width); NULL: none */
	const char *detail;                /* on hover, below the name; lines end in \n */
	uint32_t rgb;
};

/* Pixels that VALUE takes. */
double flame_svg_pixels(const struct flame_picture *p, uint64_t value);

/* Pixels for a label in a box of so many pixels, at least 0. */
double flame_svg_label_room(double pixels);

/* Pixels that TEXT takes at most, by the widths of a wide font (DejaVu Sans, Verdana). */
double flame_svg_text_width(const char *text);

/* Write all of P that comes before the boxes. */
void flame_svg_begin(FILE *out, const struct flame_picture *p);

void flame_svg_box(FILE *out, const struct flame_picture *p, const struct flame_box *box);

/* Write what comes after the boxes. */
void flame_svg_end(FILE *out, const struct flame_picture *p);

#endif
