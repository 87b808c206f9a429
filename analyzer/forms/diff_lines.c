/*
 * diff_lines.c - folds the matched call stacks. Lines are compared function by function, so
 * that "f;g" does not stand between "f" and "f x".
 */
#include "forms/diff_lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/visible.h"
#include "base/xmem.h"
#include "forms/stack_text.h"

/* NODE with the outermost function first; malloc'ed. */
static char *folded_text(const struct frame_tree *tree, frame_node node, uint8_t kind)
{
	uint32_t depth = frame_tree_depth(tree, node);
	frame_node *path = xcalloc((size_t)depth + 1, sizeof(*path));
	char *text = NULL, *safe;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		xmem_fail(1, 1);
	for (uint32_t i = depth; i > 0; i--, node = frame_tree_parent(tree, node))
		path[i - 1] = node;
	if (depth == 0)
		fputs("(no call stack)", out);
	for (uint32_t i = 0; i < depth; i++) {
		char *function = frame_function(frame_tree_frame(tree, path[i]));

		for (char *p = function; (p = strchr(p, ';')); )
			*p = ',';
		fprintf(out, "%s%s", i ? ";" : "", function);
		free(function);
	}
	if (kind == KIND_MAPPING)
		fputs(";[mapping]", out);
	fclose(out);
	safe = visible_text(text);
	free(text);
	free(path);
	return safe;
}

/* ';' as the lowest letter. */
static int letter(char c)
{
	return c == '\0' ? 0 : c == ';' ? 1 : (unsigned char)c + 1;
}

static int compare(const void *pa, const void *pb)
{
	const char *a = ((const struct diff_line *)pa)->text, *b = ((const struct diff_line *)pb)->text;

	while (*a && *a == *b) {
		a++;
		b++;
	}
	return letter(*a) - letter(*b);
}

/* Lines that read alike become one. */
static void add_up(struct diff_lines *lines)
{
	size_t kept = 0;

	for (size_t i = 1; i < lines->count; i++) {
		struct diff_line *to = &lines->items[kept], from = lines->items[i];

		if (strcmp(to->text, from.text) != 0) {
			lines->items[++kept] = from;
			continue;
		}
		to->values[DIFF_OLD] += from.values[DIFF_OLD];
		to->values[DIFF_NEW] += from.values[DIFF_NEW];
		free(from.text);
	}
	if (lines->count > 0)
		lines->count = kept + 1;
}

struct diff_lines *diff_lines_new(const struct diff *d)
{
	const struct diff_match *m = d->match;
	struct diff_lines *lines = xcalloc(1, sizeof(*lines));

	lines->items = xcalloc(m->count + 1, sizeof(*lines->items));
	for (size_t i = 0; i < m->count; i++) {
		const struct diff_row *row = &m->rows[i];
		int side = diff_shown(row);
		struct diff_line *line = &lines->items[lines->count];

		line->values[DIFF_OLD] = diff_value(row, DIFF_OLD, d->metric);
		line->values[DIFF_NEW] = diff_value(row, DIFF_NEW, d->metric);
		if (!line->values[DIFF_OLD] && !line->values[DIFF_NEW])
			continue;
		lines->differs = lines->differs || line->values[DIFF_OLD] != line->values[DIFF_NEW];
		line->text = folded_text(d->sides[side].tree, row->nodes[side], row->kind);
		lines->count++;
	}
	if (lines->count > 1)
		qsort(lines->items, lines->count, sizeof(*lines->items), compare);
	add_up(lines);
	return lines;
}

void diff_lines_free(struct diff_lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		free(lines->items[i].text);
	free(lines->items);
	free(lines);
}

uint64_t diff_line_width(const struct diff_line *line)
{
	return line->values[DIFF_OLD] > line->values[DIFF_NEW] ? line->values[DIFF_OLD] :
	       line->values[DIFF_NEW];
}
