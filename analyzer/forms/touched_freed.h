/*
 * touched_freed.h - the table of large blocks that were released: asked for, resident then, never
 * touched, by call stack. For `sites --touched=freed`.
 */
#ifndef FORMS_TOUCHED_FREED_H
#define FORMS_TOUCHED_FREED_H

#include "forms/form.h"
#include "forms/frame_tree.h"
#include "model/freed_pages.h"

/* False, with run->diag set: no image that RUN shows looked at the blocks that it released. */
bool touched_freed_is_recorded(struct run *run);

/*
 * Print what F holds of the images shown, most bytes never touched first, and in notes what the
 * figures mean. Call stacks are cut to DEPTH frames (0: whole) as TREE names them.
 */
void touched_freed_put(struct run *run, struct frame_tree *tree, const struct freed_pages *f,
		       uint32_t depth);

#endif
