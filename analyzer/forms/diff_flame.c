/*
 * diff_flame.c - `diff --form=flame`: every call stack with both figures, folded as
 * difffolded.pl of the FlameGraph tools writes it, for its flamegraph.pl: "root;...;leaf OLD NEW".
 */
#include "forms/diff.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/visible.h"
#include "base/xmem.h"
#include "forms/stack_text.h"

struct folded {
	char *text;             /* root first */
	uint64_t values[DIFF_SIDES];
};

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

static int compare(const void *pa, const void *pb)
{
	return strcmp(((const struct folded *)pa)->text, ((const struct folded *)pb)->text);
}

int diff_put_folded(struct diff *d)
{
	const struct diff_match *m = d->match;
	struct folded *lines = xcalloc(m->count + 1, sizeof(*lines));
	size_t count = 0;
	int differs = 0;

	for (size_t i = 0; i < m->count; i++) {
		const struct diff_row *row = &m->rows[i];
		int side = diff_shown(row);
		struct folded *line = &lines[count];

		line->values[DIFF_OLD] = diff_value(row, DIFF_OLD, d->metric);
		line->values[DIFF_NEW] = diff_value(row, DIFF_NEW, d->metric);
		if (!line->values[DIFF_OLD] && !line->values[DIFF_NEW])
			continue;
		differs |= line->values[DIFF_OLD] != line->values[DIFF_NEW];
		line->text = folded_text(d->sides[side].tree, row->nodes[side], row->kind);
		count++;
	}
	if (count > 1)
		qsort(lines, count, sizeof(*lines), compare);
	for (size_t i = 0; i < count; i++) {
		/* functions of one name in two objects print alike: one line */
		if (i + 1 < count && strcmp(lines[i].text, lines[i + 1].text) == 0) {
			lines[i + 1].values[DIFF_OLD] += lines[i].values[DIFF_OLD];
			lines[i + 1].values[DIFF_NEW] += lines[i].values[DIFF_NEW];
		} else {
			fprintf(d->out, "%s %" PRIu64 " %" PRIu64 "\n", lines[i].text,
				lines[i].values[DIFF_OLD], lines[i].values[DIFF_NEW]);
		}
		free(lines[i].text);
	}
	free(lines);
	return differs;
}
