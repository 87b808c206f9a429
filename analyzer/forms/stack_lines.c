/*
 * stack_lines.c - see stack_lines.h.
 */
#include "forms/stack_lines.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/term.h"
#include "base/units.h"
#include "base/xmem.h"
#include "forms/stack_text.h"

/* Frames under a row, unless all are asked for. */
#define FRAMES_SHOWN 8

void stack_lines_put(struct emit *table, const struct frame_tree *t, frame_node node, bool is_whole)
{
	uint32_t shown = is_whole ? UINT32_MAX : FRAMES_SHOWN;
	uint32_t depth = frame_tree_depth(t, node);

	/* a lone "1 more" would take the line of that one */
	if (depth == FRAMES_SHOWN + 1)
		shown = depth;
	if (!node)
		emit_detail(table, "    (no call stack)");
	for (uint32_t i = 0; node; i++) {
		const struct symbol_frame *f = frame_tree_frame(t, node);
		char *text, *line;

		if (i == shown) {
			line = xasprintf("      ... %" PRIu32 " more: --depth=0",
					 depth - i);
			emit_detail(table, line);
			free(line);
			return;
		}
		text = frame_text(f);
		line = xasprintf("%s%s", i == 0 ? "    " : "      ", text);
		emit_detail(table, line);
		free(text);
		free(line);
		node = frame_tree_parent(t, node);
	}
}

void stack_lines_put_rest(struct run *run, const struct site_rows *rows, const struct column *columns,
			  uint64_t (*value)(const struct site_row *row, size_t column))
{
	size_t column = run->sort.keys[0].column;
	char shown_text[UNITS_MAX], count[UNITS_MAX], percent[UNITS_MAX];
	size_t shown = run_rows(run, rows->count);
	uint64_t all = 0, part = 0;

	if (shown == rows->count)
		return;
	for (size_t i = 0; i < rows->count; i++) {
		uint64_t v = value(&rows->rows[i], column);

		all += v;
		if (i < shown)
			part += v;
	}
	fprintf(run->out, "%s\n%s of %s call stacks", term_style(run->color, STYLE_FAINT),
		units_count(shown_text, shown), units_count(count, rows->count));
	if (all > 0 && columns[column].type != COLUMN_TEXT)
		fprintf(run->out, ", %s of %s", units_percent(percent, part, all),
			columns[column].key);
	fprintf(run->out, "; --top=0 shows all%s\n", term_plain(run->color));
}
