/*
 * massif_draw.c - the drawing of ms_print: a graph of bars, one for each snapshot, the list of
 * snapshots, and the trees of the detailed ones. Arithmetic follows ms_print's, which
 * reckons in doubles.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "base/xmem.h"
#include "forms/massif_report.h"

#define RULE "--------------------------------------------------------------------------------\n"

/* ---- labels of the axes ---- */

/* VALUE in five columns and its unit, which changes where 1000 (or LAST) is reached. */
static const char *axis_label(char *buffer, enum massif_unit unit, double value)
{
	static const char *const bytes[] = { "B", "KB", "MB", "GB", "TB", "PB", "EB", NULL };
	static const char *const calls[] = { "i", "ki", "Mi", "Gi", "Ti", "Pi", "Ei", NULL };
	static const char *const times[] = { "ms", "s", "h", NULL };
	const char *const *names = unit == UNIT_MS ? times : unit == UNIT_CALLS ? calls : bytes;
	double scaled = value;

	for (unsigned i = 0; names[1]; i++) {
		double step = unit != UNIT_MS ? 1024 : i == 0 ? 1000 : 3600;

		if (scaled < (unit == UNIT_MS ? step : 1000))
			break;
		scaled /= step;
		names++;
	}
	if (value < 1000)
		snprintf(buffer, UNITS_MAX, "%5d", (int)value);
	else if (scaled < 10)
		snprintf(buffer, UNITS_MAX, "%5.3f", scaled);
	else if (scaled < 100)
		snprintf(buffer, UNITS_MAX, "%5.2f", scaled);
	else
		snprintf(buffer, UNITS_MAX, "%5.1f", scaled);
	return *names;
}

/* ---- the graph ---- */

struct graph {
	char *cells;          /* (columns + 1) x (rows + 1); [0] is the axis */
	uint32_t columns, rows;
};

static char *cell(const struct graph *g, uint32_t x, uint32_t y)
{
	return &g->cells[(size_t)y * (g->columns + 1) + x];
}

static void graph_axes(struct graph *g)
{
	memset(g->cells, ' ', (size_t)(g->columns + 1) * (g->rows + 1));
	for (uint32_t x = 1; x < g->columns; x++)
		*cell(g, x, 0) = '-';
	for (uint32_t y = 1; y < g->rows; y++)
		*cell(g, 0, y) = '|';
	*cell(g, 0, 0) = '+';
	*cell(g, g->columns, 0) = '>';
	*cell(g, 0, g->rows) = '^';
}

static double time_value(enum massif_unit unit, uint64_t time)
{
	return unit == UNIT_MS ? (double)time / 1000 : (double)time;
}

static uint64_t total_of(const struct snapshot *s)
{
	return s->heap_bytes + s->extra_bytes + s->stack_bytes;
}

/* Which characters stand above others. */
static int rank(char c)
{
	return c == '#' ? 3 : c == '@' ? 2 : c == ':' ? 1 : 0;
}

static void graph_bars(struct graph *g, const struct massif_report *report, double end,
		       uint64_t most)
{
	enum massif_unit unit = report->options->unit;
	double per_row = (double)most / g->rows;
	uint32_t x = 0, last_top = 0;
	char last = ':';

	for (size_t i = 0; i < report->snapshots->count; i++) {
		const struct snapshot *s = &report->snapshots->items[i];
		char c = s->kind == SNAPSHOT_PEAK ? '#' : s->kind == SNAPSHOT_DETAILED ? '@' : ':';
		double time = time_value(unit, s->time);
		uint32_t last_x = x, top = 0;

		x = (uint32_t)(time / end * g->columns) + 1;
		if (x > g->columns) /* the last one */
			x = g->columns;
		for (uint32_t gap = last_x + 1; last_top > 0 && gap < x; gap++)
			*cell(g, gap, last_top) = last;
		for (uint32_t y = 1; y <= g->rows; y++) {
			if ((double)total_of(s) < y * per_row)
				continue;
			if (rank(c) >= rank(*cell(g, x, y)))
				*cell(g, x, y) = c;
			top = y;
		}
		last_top = top;
		last = c;
	}
}

static void put_graph(FILE *out, const struct massif_report *report)
{
	const struct snapshots *all = report->snapshots;
	struct graph g = { .columns = report->columns, .rows = report->rows };
	double end = time_value(report->options->unit, all->items[all->count - 1].time);
	char label[UNITS_MAX], end_label[UNITS_MAX];
	const char *unit, *end_unit;
	uint64_t most = 0;

	for (size_t i = 0; i < all->count; i++)
		if (total_of(&all->items[i]) > most)
			most = total_of(&all->items[i]);
	most = most ? most : 1;
	end = end > 0 ? end : 1;
	g.cells = xmalloc((size_t)(g.columns + 1) * (g.rows + 1));
	graph_axes(&g);
	graph_bars(&g, report, end, most);
	unit = axis_label(label, UNIT_BYTES, (double)most);
	end_unit = axis_label(end_label, report->options->unit, end);
	fprintf(out, "    %2s\n", unit);
	for (uint32_t y = g.rows + 1; y-- > 0; ) {
		fputs(y == g.rows ? label : y == 0 ? "   0 " : "     ", out);
		fwrite(cell(&g, 0, y), 1, g.columns + 1, out);
		fprintf(out, "%s\n", y == 0 ? end_unit : "");
	}
	fprintf(out, "     0%*s%5s\n", g.columns > 5 ? (int)g.columns - 5 : 0, "", end_label);
	free(g.cells);
}

/* ---- the trees ---- */

struct tree_print {
	FILE *out;
	const struct massif_report *report;
	const struct massif_lines *lines;
	char *prefix;          /* of the line at hand, as far as prefix_bytes */
	size_t prefix_bytes, prefix_capacity;
};

static void prefix_add(struct tree_print *p, const char *text)
{
	size_t bytes = strlen(text);

	while (p->prefix_capacity < p->prefix_bytes + bytes + 1)
		xgrow(&p->prefix, &p->prefix_capacity, p->prefix_capacity, 1);
	memcpy(p->prefix + p->prefix_bytes, text, bytes + 1);
	p->prefix_bytes += bytes;
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100 * (double)part / (double)whole : 0;
}

static void put_amount(const struct tree_print *p, const char *arrow, uint64_t bytes)
{
	char number[UNITS_MAX];

	fprintf(p->out, "%s%s%05.2f%% (%sB)", p->prefix, arrow, percent(bytes, p->lines->total),
		units_count(number, bytes));
}

static bool is_shown(const struct tree_print *p, const struct massif_line *line)
{
	double threshold = p->report->options->threshold;

	return line->depth == 0 || threshold == 0 ||
	       (p->lines->total && (double)line->bytes * 100 / (double)p->lines->total >= threshold);
}

static void put_label(const struct tree_print *p, const struct massif_line *line)
{
	char *text = line->label ? NULL : massif_places_text(line, p->report->options->threshold);

	fprintf(p->out, " %s\n", line->label ? line->label : text);
	free(text);
}

/* Behind line I and all that is under it. */
static size_t after(const struct massif_lines *lines, size_t i)
{
	uint32_t depth = lines->items[i].depth;

	do {
		i++;
	} while (i < lines->count && lines->items[i].depth > depth);
	return i;
}

/* Print line I, which is shown, and what is under it. MIDFIX is the prefix of its children. */
static void put_subtree(struct tree_print *p, size_t i, const char *arrow, const char *midfix)
{
	const struct massif_line *line = &p->lines->items[i];
	size_t prefix_bytes = p->prefix_bytes, child = i + 1;
	uint32_t hidden = 0;
	uint64_t hidden_bytes = 0;

	put_amount(p, arrow, line->bytes);
	put_label(p, line);
	prefix_add(p, midfix);
	for (uint32_t n = 0; n < line->children; n++) {
		const struct massif_line *c = &p->lines->items[child];

		if (is_shown(p, c)) {
			put_subtree(p, child, "->", n + 1 == line->children ? "  " : "| ");
		} else {
			hidden++;
			hidden_bytes += c->bytes;
		}
		child = after(p->lines, child);
	}
	if (hidden) {
		put_amount(p, "->", hidden_bytes);
		fprintf(p->out, " in %" PRIu32 "+ places, all below ms_print's threshold (%05.2f%%)\n%s\n",
			hidden, p->report->options->threshold, p->prefix);
	}
	if (line->children == 0)
		fprintf(p->out, "%s\n", p->prefix);
	p->prefix_bytes = prefix_bytes;
	p->prefix[prefix_bytes] = '\0';
}

static void put_tree(FILE *out, const struct massif_report *report, const struct snapshot *s)
{
	struct massif_lines lines;
	struct tree_print p = { .out = out, .report = report, .lines = &lines };

	massif_lines_make(report->trees, s, &lines);
	prefix_add(&p, "");
	put_subtree(&p, 0, "", "");
	free(p.prefix);
	massif_lines_release(&lines);
}

/* ---- the whole ---- */

static void put_heading(FILE *out, enum massif_unit unit)
{
	char time[MASSIF_TIME_MAX];

	snprintf(time, sizeof(time), "time(%s)", massif_unit_name(unit));
	fprintf(out, RULE "%3s %14s %16s %16s %13s %12s\n" RULE, "n", time, "total(B)",
		"useful-heap(B)", "extra-heap(B)", "stacks(B)");
}

static void put_row(FILE *out, enum massif_unit unit, size_t number, const struct snapshot *s)
{
	char time[UNITS_MAX + 4], total[UNITS_MAX], heap[UNITS_MAX], extra[UNITS_MAX],
	     stacks[UNITS_MAX];

	units_count(time, unit == UNIT_MS ? s->time / 1000 : s->time);
	if (unit == UNIT_MS)
		snprintf(time + strlen(time), 5, ".%03u", (unsigned)(s->time % 1000));
	fprintf(out, "%3zu %14s %16s %16s %13s %12s\n", number, time,
		units_count(total, total_of(s)), units_count(heap, s->heap_bytes),
		units_count(extra, s->extra_bytes), units_count(stacks, s->stack_bytes));
}

static void put_list(FILE *out, const struct snapshots *all)
{
	const char *separator = "";

	fprintf(out, "\nNumber of snapshots: %zu\n Detailed snapshots: [", all->count);
	for (size_t i = 0; i < all->count; i++) {
		if (all->items[i].kind == SNAPSHOT_NORMAL)
			continue;
		fprintf(out, "%s%zu%s", separator, i,
			all->items[i].kind == SNAPSHOT_PEAK ? " (peak)" : "");
		separator = ", ";
	}
	fputs("]\n\n", out);
}

void massif_draw(FILE *out, const struct massif_report *report)
{
	enum massif_unit unit = report->options->unit;
	const struct snapshots *all = report->snapshots;

	fprintf(out, RULE "Command:            %s\nMassif arguments:   %s\n"
		"ms_print arguments: %s\n" RULE "\n\n", report->command, report->arguments,
		report->input);
	put_graph(out, report);
	put_list(out, all);
	put_heading(out, unit);
	for (size_t i = 0; i < all->count; i++) {
		put_row(out, unit, i, &all->items[i]);
		if (all->items[i].kind == SNAPSHOT_NORMAL)
			continue;
		put_tree(out, report, &all->items[i]);
		if (i + 1 < all->count)
			put_heading(out, unit);
	}
}
