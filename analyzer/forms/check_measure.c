/*
 * check_measure.c - see check_measure.h.
 */
#include "forms/check_measure.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/idmap.h"
#include "base/visible.h"
#include "base/xmem.h"
#include "forms/site_rows.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

char *check_program_name(const struct image *image)
{
	const char *path = image->argc > 0 && image->argv && image->argv[0] && *image->argv[0] ?
			   image->argv[0] : image->exe && *image->exe ? image->exe : "unknown";
	char *name = visible_text(base_name(path));

	/* a line of a baseline has no white space at its end */
	for (size_t n = strlen(name); n > 0 && name[n - 1] == ' '; n--)
		name[n - 1] = '\0';
	if (!*name) {
		free(name);
		return xstrdup("unknown");
	}
	return name;
}

/* ---- sites ---- */

/* What a row is called: the function, or the object where that has no name. No addresses. */
static char *function_name(const struct symbol_frame *f)
{
	char *text, *name;

	if (!f)
		return xstrdup("[no call stack]");
	text = f->function ? xstrdup(f->function) :
	       xasprintf("[%s]", f->module ? base_name(f->module) : "no object");
	name = visible_text(text);
	free(text);
	return name;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct baseline_site *)a)->function,
		      ((const struct baseline_site *)b)->function);
}

static int compare_sites(const void *a, const void *b)
{
	const struct baseline_site *x = a, *y = b;

	if (x->peak.bytes != y->peak.bytes)
		return x->peak.bytes < y->peak.bytes ? 1 : -1;
	return compare_names(a, b);
}

/* Sites of P with one name become one; the largest BASELINE_SITES stay. */
static void keep_largest(struct baseline_program *p)
{
	size_t kept = 0;

	if (p->site_count == 0)
		return;
	qsort(p->sites, p->site_count, sizeof(*p->sites), compare_names);
	for (size_t i = 0; i < p->site_count; i++) {
		if (kept && strcmp(p->sites[kept - 1].function, p->sites[i].function) == 0) {
			p->sites[kept - 1].peak.blocks += p->sites[i].peak.blocks;
			p->sites[kept - 1].peak.bytes += p->sites[i].peak.bytes;
			free(p->sites[i].function);
		} else {
			p->sites[kept++] = p->sites[i];
		}
	}
	qsort(p->sites, kept, sizeof(*p->sites), compare_sites);
	for (size_t i = BASELINE_SITES; i < kept; i++)
		free(p->sites[i].function);
	p->site_count = kept < BASELINE_SITES ? kept : BASELINE_SITES;
}

static void take_sites(struct frame_tree *tree, const struct heap *heap, struct baseline_program *p)
{
	struct site_rows *rows = site_rows_users(tree, heap);

	for (size_t i = 0; i < rows->count; i++) {
		const struct site_row *row = &rows->rows[i];

		if (row->kind == KIND_HEAP && row->peak.bytes > 0)
			baseline_add_site(p, function_name(frame_tree_frame(tree, row->node)),
					  row->peak);
	}
	site_rows_free(rows);
	keep_largest(p);
}

/* ---- figures ---- */

static bool is_sum(enum figure f)
{
	return f == FIGURE_BLOCKS || f == FIGURE_BYTES;
}

static uint64_t heap_figure(const struct heap *h, enum figure f)
{
	switch (f) {
	case FIGURE_PEAK_BYTES:
		return h->peak.bytes;
	case FIGURE_PEAK_BLOCKS:
		return h->peak.blocks;
	case FIGURE_END_BYTES:
		return h->end.bytes;
	case FIGURE_END_BLOCKS:
		return h->end.blocks;
	case FIGURE_BLOCKS:
		return h->total.blocks;
	case FIGURE_BYTES:
		return h->total.bytes;
	default:
		return h->mapped_peak.bytes;
	}
}

void check_measure(struct run *run, struct baseline *b)
{
	b->sampling_bytes = recording_sampling(run->recording);
	b->is_all = run->is_all;
	for (size_t i = 0; i < run->heap_count; i++) {
		const struct heap *heap = run->heaps[i];
		char *name = check_program_name(heap->image);
		struct baseline_program *p = baseline_find(b, name);

		if (p)
			free(name);
		else
			p = baseline_add(b, name);
		p->processes++;
		for (int f = 0; f < FIGURE_COUNT; f++) {
			uint64_t v = heap_figure(heap, (enum figure)f);

			p->has[f] = true;
			if (is_sum((enum figure)f))
				p->figures[f] += v;
			else if (v > p->figures[f])
				p->figures[f] = v;
		}
	}
}

void check_measure_sites(struct run *run, struct frame_tree *tree, struct baseline *b)
{
	for (size_t i = 0; i < run->heap_count; i++) {
		const struct heap *heap = run->heaps[i];
		char *name = check_program_name(heap->image);
		struct baseline_program *p = baseline_find(b, name);

		free(name);
		/* the first of those with the largest peak */
		if (p && p->site_count == 0 && heap->peak.bytes == p->figures[FIGURE_PEAK_BYTES])
			take_sites(tree, heap, p);
	}
}

/* ---- a function's figure ---- */

/* Bytes of FUNCTION's name without its parameters. */
static size_t bare_bytes(const char *function)
{
	size_t depth = 0, i;

	for (i = 0; function[i]; i++) {
		if (function[i] == '<')
			depth++;
		else if (function[i] == '>' && depth > 0)
			depth--;
		else if (function[i] == '(' && depth == 0 && i > 0 &&
			 strncmp(function + i, "(anonymous", 10) != 0 &&
			 !(i >= 8 && strncmp(function + i - 8, "operator()", 10) == 0))
			break;
	}
	return i;
}

static bool frame_matches(const struct symbol_frame *f, const char *pattern)
{
	char *bare;
	bool found;

	if (!f || !f->function)
		return false;
	/* a name may hold what is special in a pattern: operator[], f(int*) */
	if (strcmp(f->function, pattern) == 0 || fnmatch(pattern, f->function, 0) == 0)
		return true;
	bare = xstrndup(f->function, bare_bytes(f->function));
	found = strcmp(bare, pattern) == 0 || fnmatch(pattern, bare, 0) == 0;
	free(bare);
	return found;
}

struct search {
	const struct frame_tree *tree;
	const char *pattern;
	struct idmap known;   /* node -> 1: no, 2: yes, for it and its callers */
	frame_node *path;
	size_t capacity;
};

static bool stack_matches(struct search *s, frame_node node)
{
	size_t depth = 0;
	uint32_t answer = 1;

	for (; node; node = frame_tree_parent(s->tree, node)) {
		uint32_t known = idmap_find(&s->known, node);

		if (known) {
			answer = known;
			break;
		}
		xgrow(&s->path, &s->capacity, depth, sizeof(*s->path));
		s->path[depth++] = node;
	}
	while (depth > 0) {
		node = s->path[--depth];
		if (answer == 1 && frame_matches(frame_tree_frame(s->tree, node), s->pattern))
			answer = 2;
		idmap_add(&s->known, node, answer);
	}
	return answer == 2;
}

uint64_t check_function(struct run *run, struct frame_tree *tree, const char *program,
			const char *pattern, enum metric m, bool *is_found)
{
	struct search s = { .tree = tree, .pattern = pattern };
	bool is_peak = m == METRIC_PEAK || m == METRIC_END;
	uint64_t result = 0;

	*is_found = false;
	for (size_t i = 0; i < run->heap_count; i++) {
		const struct heap *heap = run->heaps[i];
		char *name = check_program_name(heap->image);
		bool is_ours = strcmp(name, program) == 0;
		uint64_t sum = 0;

		free(name);
		for (size_t j = 0; is_ours && j < heap->site_count; j++) {
			const struct site *site = &heap->sites[j];

			if (site->kind != KIND_HEAP ||
			    !stack_matches(&s, frame_tree_stack(tree, site->stack)))
				continue;
			*is_found = true;
			sum += metric_value(site, m);
		}
		if (!is_peak)
			result += sum;
		else if (sum > result)
			result = sum;
	}
	idmap_release(&s.known);
	free(s.path);
	return result;
}
