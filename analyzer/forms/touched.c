/*
 * touched.c - the table of what was asked for and what of it was touched, by call stack.
 */
#include "forms/touched.h"

#include <stdlib.h>

#include "forms/stack_text.h"

enum {
	SITE_KIND, SITE_BLOCKS, SITE_ASKED, SITE_RESIDENT, SITE_UNTOUCHED, SITE_FUNCTION, SITE_FILE,
	SITE_LINE, SITE_STACK, SITE_COLS,
};

#define MACHINE (SHOW_CSV | SHOW_JSON)

static const struct column site_columns[SITE_COLS] = {
	[SITE_KIND] = { "kind", "kind", COLUMN_TEXT, 0, false, NULL },
	[SITE_BLOCKS] = { "blocks", "blocks", COLUMN_COUNT, 0, false, NULL },
	[SITE_ASKED] = { "asked", "asked", COLUMN_BYTES, 0, false, NULL },
	[SITE_RESIDENT] = { "resident", "resident <=", COLUMN_BYTES, 0, false, NULL },
	[SITE_UNTOUCHED] = { "untouched", "untouched >=", COLUMN_BYTES, 0, false, NULL },
	[SITE_FUNCTION] = { "function", "allocation site", COLUMN_TEXT, 0, false, NULL },
	[SITE_FILE] = { "file", NULL, COLUMN_TEXT, MACHINE, false, NULL },
	[SITE_LINE] = { "line", NULL, COLUMN_EXACT, MACHINE, false, NULL },
	[SITE_STACK] = { "stack", NULL, COLUMN_TEXT, MACHINE, false, NULL },
};

void touched_put(struct run *run, const struct frame_tree *tree, struct owners *o, bool has_pages)
{
	struct emit *table = run_table(run, site_columns, SITE_COLS);
	bool is_text = run->format == EMIT_TEXT;

	owners_join(o, tree);
	for (size_t i = 0; i < run_rows(run, o->count); i++) {
		const struct owner *row = &o->rows[i];
		const struct symbol_frame *f = frame_tree_frame(tree, row->node);
		size_t width = run->width > 80 ? (size_t)run->width - 54 : 26;
		char *function = is_text ? frame_text_fit(f, width) : frame_function(f);
		char *stack = is_text ? NULL : stack_folded(tree, row->node);
		struct cell cells[SITE_COLS] = {
			[SITE_KIND] = cell_text(row->kind == KIND_MAPPING ? "mapping" : "heap"),
			[SITE_BLOCKS] = cell_number(row->asked.blocks),
			[SITE_ASKED] = cell_number(row->asked.bytes),
			[SITE_FUNCTION] = cell_text(function),
			[SITE_FILE] = cell_text(f ? f->file : NULL),
			[SITE_STACK] = cell_text(stack),
		};

		if (has_pages) {
			cells[SITE_RESIDENT] = cell_number(row->resident);
			cells[SITE_UNTOUCHED] = cell_number(row->asked.bytes - row->resident);
		}
		if (f && f->line > 0)
			cells[SITE_LINE] = cell_number((uint64_t)f->line);
		emit_row(table, cells);
		free(function);
		free(stack);
	}
	emit_free(table);
	if (!has_pages)
		run_note(run, "which pages were touched is not known at this moment");
	else
		run_note(run, "resident: at most so much was touched (memory that was used before counts as "
			 "touched); untouched: surely never touched, at least so much; blocks below %s count "
			 "as touched", "8 KiB");
}
