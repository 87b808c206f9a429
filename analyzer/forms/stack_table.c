/*
 * stack_table.c - see stack_table.h.
 */
#include "forms/stack_table.h"

#include <assert.h>
#include <stdlib.h>

#include "forms/stack_lines.h"
#include "forms/stack_text.h"

static void put_for_programs(struct run *run, const struct stack_table *t, struct emit *table,
			     const struct frame_tree *tree, const struct site_row *row,
			     struct cell *cells)
{
	const struct symbol_frame *f = frame_tree_frame(tree, row->node);
	char *function = frame_function(f);
	char *stack = stack_folded(tree, row->node);

	cells[t->function] = cell_text(function);
	cells[t->function + 1] = cell_text(f ? f->file : NULL);
	if (f && f->line > 0)
		cells[t->function + 2] = cell_number((uint64_t)f->line);
	cells[t->function + 3] = cell_text(stack);
	cells[t->pid] = cell_number(row->image->pid);
	cells[t->pid + 1] = cell_number(row->image->exec_number);
	if (run->format == EMIT_JSON)
		cells[t->pid + 2] = cell_json(stack_json(tree, row->node));
	emit_row(table, cells);
	free(function);
	free(stack);
}

void stack_table_put(struct run *run, const struct stack_table *t, struct frame_tree *tree,
		     struct site_rows *rows, bool is_whole)
{
	struct emit *table = run_table(run, t->columns, t->count);

	assert(t->count <= STACK_TABLE_COLUMNS);
	site_rows_sort(rows, tree, run->top, &run->sort, run->form->columns, t->value);
	for (size_t i = 0; i < run_rows(run, rows->count); i++) {
		const struct site_row *row = &rows->rows[i];
		struct cell cells[STACK_TABLE_COLUMNS] = { 0 };

		t->fill(run, row, cells);
		if (run->format != EMIT_TEXT) {
			put_for_programs(run, t, table, tree, row, cells);
			continue;
		}
		emit_row(table, cells);
		stack_lines_put(table, tree, row->node, is_whole);
	}
	emit_free(table);
}
