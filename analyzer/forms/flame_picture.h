/*
 * flame_picture.h - a tree of calls drawn as a flame graph (flame_svg.h): what each box is
 * called, what it says on hover, its colour and the legend.
 */
#ifndef FORMS_FLAME_PICTURE_H
#define FORMS_FLAME_PICTURE_H

#include "forms/call_choice.h"
#include "forms/flame_names.h"
#include "forms/flame_svg.h"

struct flame_layout {
	const char *title;      /* NULL: the command */
	const char *command;
	int width;              /* FLAME_WIDTH_MIN .. FLAME_WIDTH_MAX */
	double min;             /* boxes of fewer pixels are not drawn */
	uint32_t depth;         /* frames drawn upon each other; 0: all */
	bool is_hanging;
	const char *const *notes;
	size_t note_count;
};

/* The least value, in the metric's unit, that LAYOUT draws of TOTAL. */
uint64_t flame_picture_least(const struct flame_layout *layout, uint64_t total);

/*
 * NAME, which is printable, the function of FRAME (NULL: no function) as the label of a box of so many
 * PIXELS: shortened as functions are, then cut; NULL where nothing of it fits. The caller's.
 */
char *flame_label(const struct symbol_frame *frame, const char *name, double pixels, bool by_line);

/* Draw TREE, whose metric is that of CHOICE, to run->out. */
void flame_picture_put(const struct run *run, const struct call_choice *choice,
		       const struct call_tree *tree, struct flame_names *names,
		       const struct flame_layout *layout);

#endif
