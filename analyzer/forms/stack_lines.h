/*
 * stack_lines.h - a call stack under a row of a text table, and how much of the whole the
 * rows shown are: what tables by call stack have in common.
 */
#ifndef FORMS_STACK_LINES_H
#define FORMS_STACK_LINES_H

#include <stdbool.h>

#include "forms/form.h"
#include "forms/frame_tree.h"
#include "forms/site_rows.h"

/*
 * The frames of NODE under the row just given, the innermost first. IS_WHOLE: all of them, else the
 * first eight and how many more there are, with what shows them (--depth=0).
 */
void stack_lines_put(struct emit *table, const struct frame_tree *t, frame_node node, bool is_whole);

/*
 * "20 of 241 call stacks, 93.1 % of bytes; --top=0 shows all" where not all ROWS were
 * shown. VALUE: as for site_rows_sort.
 */
void stack_lines_put_rest(struct run *run, const struct site_rows *rows, const struct column *columns,
			  uint64_t (*value)(const struct site_row *row, size_t column));

#endif
