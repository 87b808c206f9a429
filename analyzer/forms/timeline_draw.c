/*
 * timeline_draw.c - curves of a timeline in characters. Each column of characters is one row
 * of the timeline, so nothing is resampled: the highest bar is the peak.
 */
#include "forms/timeline_draw.h"

#include <stdlib.h>
#include <string.h>

#include "base/term.h"
#include "base/units.h"
#include "base/visible.h"
#include "base/xmem.h"

/* Left of the area: the axis. */
#define AXIS 11

struct panel {
	const char *title;
	int lines;
	bool is_bytes;
	uint64_t (*value)(const struct timeline_row *row);
};

static uint64_t value_live(const struct timeline_row *row) { return row->most_bytes; }
static uint64_t value_mapped(const struct timeline_row *row) { return row->most_mapped; }
static uint64_t value_malloc_mapped(const struct timeline_row *row) { return row->most_malloc_mapped; }
static uint64_t value_break(const struct timeline_row *row) { return row->most_break; }
static uint64_t value_rss(const struct timeline_row *row) { return row->has_rss ? row->rss_bytes : 0; }
static uint64_t value_calls(const struct timeline_row *row) { return row->calls; }

static const struct panel panels[] = {
	{ "live on the heap", 6, true, value_live },
	{ "program break (main heap)", 3, true, value_break },
	{ "mapped by malloc", 3, true, value_malloc_mapped },
	{ "mapped by the program", 3, true, value_mapped },
	{ "resident (RSS)", 3, true, value_rss },
	{ "heap calls per second", 3, false, value_calls },
};

size_t timeline_draw_rows(int width)
{
	return (size_t)(width - AXIS - 1);
}

/* Calls per second of ROW steps; bytes stay. */
static uint64_t scaled(const struct timeline *t, const struct panel *p, uint64_t value)
{
	return p->is_bytes ? value : units_whole((double)value / timeline_step_seconds(t));
}

static const char *label(char *buffer, const struct panel *p, uint64_t value)
{
	return p->is_bytes ? units_bytes(buffer, value) : units_count(buffer, value);
}

/* How full the cell of LINE (0: lowest) of LINES is at VALUE of MOST, in eighths. */
static int eighths(uint64_t value, uint64_t most, int lines, int line)
{
	int full = (int)((double)value / (double)most * lines * 8 + 0.5) - line * 8;

	/* what is not nothing shows */
	if (value > 0 && line == 0 && full < 1)
		full = 1;
	return full < 0 ? 0 : full > 8 ? 8 : full;
}

static void draw_panel(FILE *out, const struct timeline *t, const struct timeline_series *s,
		       const struct panel *p, const struct draw_style *style)
{
	static const char *const blocks[] = { " ", "\u2581", "\u2582", "\u2583", "\u2584",
					      "\u2585", "\u2586", "\u2587", "\u2588" };
	static const char *const plain[] = { " ", ".", ".", ":", ":", "#", "#", "#", "#" };
	const char *const *cells = style->is_utf8 ? blocks : plain;
	const char *side = style->is_utf8 ? "\u2502" : "|";
	uint64_t most = 0;
	char text[UNITS_MAX];

	for (size_t i = 0; i < t->row_count; i++)
		if (p->value(&s->rows[i]) > most)
			most = p->value(&s->rows[i]);
	if (most == 0)
		return;
	label(text, p, scaled(t, p, most));
	fprintf(out, "%*s %s%s%s", AXIS, "", term_style(style->color, STYLE_HEAD), p->title,
		term_plain(style->color));
	/* the axis says it too */
	if (AXIS + 1 + strlen(p->title) + strlen(", at most ") + strlen(text) <= (size_t)style->width)
		fprintf(out, ", at most %s", text);
	putc('\n', out);
	for (int line = p->lines - 1; line >= 0; line--) {
		if (line == p->lines - 1)
			fprintf(out, "%*s", AXIS - 1, text);
		else
			fprintf(out, "%*s", AXIS - 1, line == 0 ? "0" : "");
		fprintf(out, " %s%s", side, term_style(style->color, STYLE_KEY));
		for (size_t i = 0; i < t->row_count; i++)
			fputs(cells[eighths(p->value(&s->rows[i]), most, p->lines, line)], out);
		fprintf(out, "%s\n", term_plain(style->color));
	}
}

/* The row in which STAMP lies. */
static size_t column_of(const struct timeline *t, uint64_t stamp)
{
	size_t c = (size_t)((double)(stamp - t->from_stamp) * t->per_tick * (double)t->row_count);

	return c < t->row_count ? c : t->row_count - 1;
}

/* Marks under the curves: a pointer where each is, then their names by number. */
static void draw_marks(FILE *out, const struct timeline *t, const struct draw_style *style)
{
	const struct recording *r = t->recording;
	char *line = xcalloc(1, t->row_count + 1);
	char text[UNITS_MAX];
	int count = 0;

	memset(line, ' ', t->row_count);
	for (size_t i = 0; i < r->mark_count; i++) {
		const struct mark *m = &r->marks[i];

		if (m->stamp < t->from_stamp || m->stamp > t->to_stamp)
			continue;
		line[column_of(t, m->stamp)] = count < 9 ? (char)('1' + count) :
					       count < 35 ? (char)('a' + count - 9) : '*';
		count++;
	}
	if (count > 0)
		fprintf(out, "%*s  %s\n", AXIS - 1, "marks", line);
	count = 0;
	for (size_t i = 0; i < r->mark_count && count < 35; i++) {
		const struct mark *m = &r->marks[i];
		int64_t ns = recording_ns(r, m->stamp);
		char *name;

		if (m->stamp < t->from_stamp || m->stamp > t->to_stamp)
			continue;
		name = visible_fit(m->name, (size_t)style->width - AXIS - 16);
		fprintf(out, "%*s%c = %s at %s\n", AXIS + 1, "",
			count < 9 ? '1' + count : 'a' + count - 9, name,
			units_ns(text, ns > 0 ? (uint64_t)ns : 0));
		free(name);
		count++;
	}
	free(line);
}

static void draw_times(FILE *out, const struct timeline *t, const struct draw_style *style)
{
	const char *line = style->is_utf8 ? "\u2500" : "-";
	const char *corner = style->is_utf8 ? "\u2514" : "+";
	int64_t from = recording_ns(t->recording, t->from_stamp);
	int64_t to = recording_ns(t->recording, t->to_stamp);
	char begin[UNITS_MAX], end[UNITS_MAX];

	fprintf(out, "%*s%s", AXIS, "", corner);
	for (size_t i = 0; i < t->row_count; i++)
		fputs(line, out);
	units_ns(begin, from > 0 ? (uint64_t)from : 0);
	units_ns(end, to > 0 ? (uint64_t)to : 0);
	fprintf(out, "\n%*s %s%*s\n", AXIS, "", begin, (int)t->row_count - (int)strlen(begin), end);
}

void timeline_draw(FILE *out, const struct timeline *t, const struct timeline_series *s,
		   const struct draw_style *style)
{
	for (size_t i = 0; i < sizeof(panels) / sizeof(panels[0]); i++)
		draw_panel(out, t, s, &panels[i], style);
	draw_times(out, t, style);
	draw_marks(out, t, style);
}
