/*
 * tree_text.c - see tree_text.h. A level is a step to the right; a node is on the level of the
 * node above it where no other is beside it.
 */
#include "forms/tree_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/term.h"
#include "base/units.h"
#include "base/visible.h"
#include "base/xmem.h"
#include "forms/stack_text.h"

/* Columns of a level, and how many levels are drawn; deeper ones begin with their number. */
#define STEP        2
#define LEVELS_DRAWN 13

/* Names are never cut to fewer columns. */
#define NAME_MIN    20

struct strokes { const char *branch, *last, *through; };

static const struct strokes strokes_utf8 = { "├ ", "└ ", "│ " };
static const struct strokes strokes_ascii = { "|-", "`-", "| " };

struct page {
	const struct run *run;
	const struct call_tree *tree;
	const struct tree_limits *limits;
	const struct tree_style *style;
	const struct strokes *strokes;
	int bytes_width, blocks_width;
	uint32_t *levels;      /* by node: of what stands under it */
	bool *is_last;         /* by level: nothing more comes at this level */
	size_t is_last_capacity;
};

/* Where a line stands. */
struct place {
	uint32_t level;
	bool has_stroke;       /* one of several under its caller */
};

/* Is there a line for what NODE itself asked for? Its own line is it where it has no children. */
static bool has_self(const struct page *p, uint32_t node)
{
	const struct call_node *n = call_tree_node(p->tree, node);

	return n->self.blocks > 0 &&
	       (tree_shown(p->tree, p->limits, node) > 0 || tree_rest(p->tree, p->limits, node).calls > 0);
}

/* Are there calls beside each other under NODE, a step to the right? */
static bool is_branching(const struct page *p, uint32_t node)
{
	return tree_shown(p->tree, p->limits, node) > 1;
}

static void put_figures(const struct page *p, struct amount amount)
{
	char bytes[UNITS_MAX], blocks[UNITS_MAX], percent[UNITS_MAX];
	uint64_t whole = metric_of(call_tree_total(p->tree), p->style->metric);
	char *unit;

	units_bytes(bytes, amount.bytes);
	units_count(blocks, amount.blocks);
	units_percent(percent, metric_of(amount, p->style->metric), whole);
	/* the heading has the unit */
	unit = strstr(percent, " %");
	if (unit)
		*unit = '\0';
	if (metric_is_blocks(p->style->metric))
		fprintf(p->run->out, "%*s  %5s  %*s  ", p->blocks_width, blocks, percent, p->bytes_width,
			bytes);
	else
		fprintf(p->run->out, "%*s  %5s  %*s  ", p->bytes_width, bytes, percent, p->blocks_width,
			blocks);
}

static int figures_width(const struct page *p)
{
	return p->bytes_width + p->blocks_width + 5 + 6;
}

/* The lines on the left of a text at PLACE; returns their columns. */
static int put_strokes(const struct page *p, struct place place)
{
	uint32_t strokes = place.level, from = 0;
	int columns = 0;

	fputs(term_style(p->run->color, STYLE_FAINT), p->run->out);
	if (strokes > LEVELS_DRAWN) {
		columns = fprintf(p->run->out, "%" PRIu32 ": ", strokes);
		from = strokes - LEVELS_DRAWN + 2;
	}
	for (uint32_t level = from; level < strokes; level++) {
		bool is_branch = place.has_stroke && level + 1 == strokes;

		fputs(is_branch ? p->is_last[level] ? p->strokes->last : p->strokes->branch :
		      p->is_last[level] ? "  " : p->strokes->through, p->run->out);
	}
	fputs(term_plain(p->run->color), p->run->out);
	return columns + (int)(strokes - from) * STEP;
}

static void put_name(const struct page *p, uint32_t node, int columns)
{
	const struct call_node *n = call_tree_node(p->tree, node);
	const struct symbol_frame *f = call_tree_frame(p->tree, node);
	const char *mark = n->is_inlined ? " (inlined)" : "";
	int room = p->run->width - figures_width(p) - columns - (int)strlen(mark);
	struct symbol_frame frame;
	char *text;

	if (room < NAME_MIN)
		room = NAME_MIN;
	if (f) {
		frame = *f;
		if (!p->style->by_line)
			frame.line = 0;
	}
	text = frame_text_fit(f ? &frame : NULL, (size_t)room);
	fprintf(p->run->out, "%s%s\n", text, mark);
	free(text);
}

/* A line that is no call: TEXT for AMOUNT, the first or last one under its node. */
static void put_line(const struct page *p, struct place place, struct amount amount,
		     const char *text)
{
	put_figures(p, amount);
	put_strokes(p, place);
	fprintf(p->run->out, "%s%s%s\n", term_style(p->run->color, STYLE_FAINT), text,
		term_plain(p->run->color));
}

/* Say of LEVEL whether the line to come is its last one. */
static void set_last(struct page *p, uint32_t level, bool is_last)
{
	while (level >= p->is_last_capacity)
		xgrow(&p->is_last, &p->is_last_capacity, p->is_last_capacity, sizeof(*p->is_last));
	p->is_last[level] = is_last;
}

/* What is left out under NODE, where its children stand. */
static void put_rest(struct page *p, uint32_t node, bool has_stroke)
{
	struct tree_rest rest = tree_rest(p->tree, p->limits, node);
	char count[UNITS_MAX], *text;

	if (rest.calls == 0)
		return;
	units_count(count, rest.calls);
	if (rest.is_small)
		text = xasprintf("(%s more%s below %g %%)", count, rest.calls > 1 ? ", each" : "",
				 p->style->threshold);
	else
		text = xasprintf("(%s more)", count);
	if (has_stroke)
		set_last(p, p->levels[node] - 1, true);
	put_line(p, (struct place){ p->levels[node], has_stroke }, rest.amount, text);
	free(text);
}

/* The lines before the first call under NODE. */
static void put_first_lines(struct page *p, uint32_t node)
{
	bool has_stroke = is_branching(p, node);

	if (has_self(p, node)) {
		if (has_stroke)
			set_last(p, p->levels[node] - 1, false);
		put_line(p, (struct place){ p->levels[node], has_stroke },
			 call_tree_node(p->tree, node)->self,
			 p->style->is_bottom_up ? "(no caller)" : "(itself)");
	}
	if (!has_stroke)
		put_rest(p, node, false);
}

static void enter(void *ctx, uint32_t node)
{
	struct page *p = ctx;
	const struct call_node *n = call_tree_node(p->tree, node);
	uint32_t parent = n->parent;
	struct place place = { 0 };

	if (node != 0) {
		place.level = p->levels[parent];
		place.has_stroke = is_branching(p, parent);
	}
	if (place.has_stroke)
		set_last(p, place.level - 1,
			 n->place + 1 == tree_shown(p->tree, p->limits, parent) &&
			 tree_rest(p->tree, p->limits, parent).calls == 0);
	if (node == 0 || place.has_stroke || has_self(p, parent) ||
	    tree_rest(p->tree, p->limits, parent).calls > 0)
		put_figures(p, n->total);
	else
		fprintf(p->run->out, "%*s", figures_width(p), "");
	if (node == 0)
		fputs("total\n", p->run->out);
	else
		put_name(p, node, put_strokes(p, place));
	p->levels[node] = place.level + is_branching(p, node);
	put_first_lines(p, node);
}

static void leave(void *ctx, uint32_t node)
{
	struct page *p = ctx;

	if (is_branching(p, node))
		put_rest(p, node, true);
}

void tree_text_put(const struct run *run, const struct call_tree *t,
		   const struct tree_limits *limits, const struct tree_style *style)
{
	struct amount total = call_tree_total(t);
	char blocks[UNITS_MAX];
	struct page p = {
		.run = run,
		.tree = t,
		.limits = limits,
		.style = style,
		.strokes = run->is_utf8 ? &strokes_utf8 : &strokes_ascii,
		.bytes_width = 10,
		.levels = xcalloc(call_tree_count(t), sizeof(*p.levels)),
	};

	p.blocks_width = (int)strlen(units_count(blocks, total.blocks));
	if (p.blocks_width < (int)strlen("blocks"))
		p.blocks_width = (int)strlen("blocks");
	fputs(term_style(run->color, STYLE_HEAD), run->out);
	if (metric_is_blocks(style->metric))
		fprintf(run->out, "%*s  %5s  %*s  ", p.blocks_width, "blocks", "%", p.bytes_width, "bytes");
	else
		fprintf(run->out, "%*s  %5s  %*s  ", p.bytes_width, "bytes", "%", p.blocks_width, "blocks");
	fprintf(run->out, "%s%s\n", style->is_bottom_up ? "allocation site, under it its callers" :
		"call, under it what it calls", term_plain(run->color));
	tree_walk(t, limits, enter, leave, &p);
	free(p.levels);
	free(p.is_last);
}
