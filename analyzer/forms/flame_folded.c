/*
 * flame_folded.c - see flame_folded.h. flamegraph.pl takes the last number of a line, and two
 * numbers as a difference; speedscope and Perfetto split at the last space.
 */
#include "forms/flame_folded.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"

char *flame_folded_name(const char *text)
{
	char *name = xstrdup(*text ? text : "?");
	size_t end = strlen(name);

	for (char *p = name; (p = strchr(p, ';')) != NULL; )
		*p = ',';
	while (end > 0 && ((name[end - 1] >= '0' && name[end - 1] <= '9') || name[end - 1] == '.'))
		end--;
	if (end > 0 && name[end - 1] == ' ')
		name[end - 1] = '_';
	return name;
}

void flame_folded_put(FILE *out, const struct call_tree *tree, enum metric metric, uint32_t depth,
		      struct flame_names *names)
{
	uint32_t *path = NULL;
	size_t capacity = 0;

	for (uint32_t node = 0; (node = call_tree_next(tree, node, 0, depth)) != 0; ) {
		uint64_t value = metric_of(call_tree_own(tree, node, depth), metric);
		size_t frames = 0;

		if (value == 0)
			continue;
		for (uint32_t n = node; n != 0; n = call_tree_node(tree, n)->parent) {
			xgrow(&path, &capacity, frames, sizeof(*path));
			path[frames++] = flame_names_number(names, tree, n);
		}
		for (size_t i = frames; i-- > 0; ) {
			char *name = flame_folded_name(flame_names_text(names, path[i]));

			if (i == frames - 1 && *name == '#')
				*name = '_';
			fprintf(out, "%s%s", name, i ? ";" : "");
			free(name);
		}
		fprintf(out, " %" PRIu64 "\n", value);
	}
	free(path);
}
