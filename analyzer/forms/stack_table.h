/*
 * stack_table.h - a table with a row for each call stack: its allocation site, its frames, its
 * process. The form says what else stands in a row.
 */
#ifndef FORMS_STACK_TABLE_H
#define FORMS_STACK_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/emit.h"
#include "forms/form.h"
#include "forms/frame_tree.h"
#include "forms/site_rows.h"

/* Columns a table has at most. */
#define STACK_TABLE_COLUMNS 32

/* Four columns from number AT on, for programs: function, file, line, stack. */
#define STACK_COLUMNS(at) \
	[at] = { "function", NULL, COLUMN_TEXT, SHOW_CSV | SHOW_JSON, true, \
		"allocation site: the first function that is no wrapper" }, \
	[(at) + 1] = { "file", NULL, COLUMN_TEXT, SHOW_CSV | SHOW_JSON, false, \
		"its source file, empty where unknown" }, \
	[(at) + 2] = { "line", NULL, COLUMN_EXACT, SHOW_CSV | SHOW_JSON, false, \
		"its line, empty where unknown" }, \
	[(at) + 3] = { "stack", NULL, COLUMN_TEXT, SHOW_CSV | SHOW_JSON, false, \
		"functions of the call stack, innermost first, separated by ';'" }

/* Three columns from number AT on, for programs: pid, exec, frames. */
#define PROCESS_COLUMNS(at) \
	[at] = { "pid", NULL, COLUMN_EXACT, SHOW_CSV | SHOW_JSON, false, "process" }, \
	[(at) + 1] = { "exec", NULL, COLUMN_EXACT, SHOW_CSV | SHOW_JSON, false, \
		"program of that process: 0 for the first, 1 after an exec, ..." }, \
	[(at) + 2] = { "frames", NULL, COLUMN_JSON, 0, false, \
		"the call stack as {function, file, line, module}" }

/* The row of -d, --depth in a form's options; its value: form_depth. */
#define STACK_DEPTH_OPTION \
	{ "depth", 'd', "N", 0, \
	  "Cut call stacks to the N innermost frames and add up what is then alike; 0: whole " \
	  "stacks (default; text then shows the first 8 frames)", 0 }

struct stack_table {
	const struct column *columns;
	size_t count;               /* of columns, at most STACK_TABLE_COLUMNS */
	size_t function, pid;       /* where STACK_COLUMNS and PROCESS_COLUMNS stand */
	/* What ROW has for a column of the form (site_rows_sort). */
	uint64_t (*value)(const struct site_row *row, size_t column);
	/* The form's own cells of ROW; all are unknown before. */
	void (*fill)(const struct run *run, const struct site_row *row, struct cell *cells);
};

/*
 * Print the first rows (--top) of ROWS, sorted as --sort says, to RUN's output. In text the frames stand
 * under each row: all of them where IS_WHOLE, else the first eight. TREE is that of the rows.
 */
void stack_table_put(struct run *run, const struct stack_table *t, struct frame_tree *tree,
		     struct site_rows *rows, bool is_whole);

#endif
