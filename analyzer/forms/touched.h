/*
 * touched.h - demand paging by call stack: bytes asked for and live at a moment, at most so many of
 * them touched, surely so many not. For `maps --sites` and `sites --touched`.
 */
#ifndef FORMS_TOUCHED_H
#define FORMS_TOUCHED_H

#include "forms/form.h"
#include "forms/maps_owners.h"

/*
 * Print the owners O, which are joined by call stack here, as a table of RUN's format, and say in a
 * note what its bounds mean. HAS_PAGES: which pages were touched is known.
 */
void touched_put(struct run *run, const struct frame_tree *tree, struct owners *o, bool has_pages);

#endif
