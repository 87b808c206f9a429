/*
 * timeline_plot.c - the gnuplot side of `timeline`. Data blocks are numbered from 0 in the order
 * in which they are written: images, then sizes. Names from the program are escaped and stand
 * in quotes so that gnuplot expands nothing in them.
 */
#include "forms/timeline_plot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "base/visible.h"
#include "base/xmem.h"
#include "forms/form.h"

/* Lines that fit into the picture's key. */
#define SERIES_SHOWN 12

/* Beyond so many marks their names would hide each other, and the curves. */
#define MARKS_NAMED 40
#define MARK_NAME_WIDTH 32

/* Lines across the picture of sizes. */
#define SIZE_TICS 10

/* Points up to here are drawn large: no eye finds five specks. */
#define FEW_POINTS 400

static void put_rows(FILE *out, const struct timeline *t, const struct timeline_series *s)
{
	double step = timeline_step_seconds(t);

	for (size_t i = 0; i < t->row_count; i++) {
		const struct timeline_row *row = &s->rows[i];

		fprintf(out, "%.9f %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
			" %" PRIu64 " ", timeline_row_seconds(t, i), row->live.bytes,
			row->most_bytes, row->live.blocks, row->mapped_bytes,
			row->break_bytes, row->malloc_mapped_bytes);
		if (row->has_rss)
			fprintf(out, "%" PRIu64, row->rss_bytes);
		else
			fputs("NaN", out);
		fprintf(out, " %" PRIu64 " %.1f\n", row->calls, (double)row->calls / step);
	}
}

static void put_sizes(FILE *out, const struct timeline *t)
{
	fputs("\n\n# sizes asked for of the allocator: one line for each size class and step\n"
	      "# time_s size calls\n", out);
	for (size_t column = 0; column < SIZE_COLUMNS; column++) {
		for (size_t i = 0; i < SIZE_ROWS; i++) {
			const struct timeline_cell *c = &t->cells[column * SIZE_ROWS + i];

			if (c->calls)
				fprintf(out, "%.9f %" PRIu64 " %" PRIu64 "\n",
					timeline_column_seconds(t, column), c->size, c->calls);
		}
	}
}

void timeline_put_data(FILE *out, const struct timeline *t)
{
	fputs("# allotrope timeline: bytes at moments evenly apart; times are seconds since the\n"
	      "# recording began. A row is the state at its time; most_bytes is the largest live_bytes\n"
	      "# since the row before, so the largest of the column is the peak. rss_bytes is the\n"
	      "# largest sample since the row before, or the last sample; NaN before the first.\n", out);
	for (size_t i = 0; i < t->series_count; i++) {
		const struct timeline_series *s = &t->series[i];
		char *command = image_command(s->image);
		char *shown = visible_text(command);

		fprintf(out, "%s# process %" PRIu32 ": %s\n"
			"# time_s live_bytes most_bytes live_blocks mapped_bytes break_bytes "
			"malloc_mapped_bytes rss_bytes calls calls_per_s\n",
			i ? "\n\n" : "", s->image->pid, shown);
		put_rows(out, t, s);
		free(command);
		free(shown);
	}
	if (t->cells)
		put_sizes(out, t);
}

/*
 * S as a string of gnuplot. In single quotes nothing is expanded, but gnuplot 5.4 does not read
 * every string with doubled quotes in it as one. In double quotes it runs what stands in
 * backquotes and expands @macros before it reads escapes: what could mean something is written
 * as its octal code. A gap keeps "]]>" out, which its SVG would hold as it is and XML forbids.
 */
static void put_quoted(FILE *out, const char *s)
{
	char *safe = visible_text(s);
	char quote = strchr(safe, '\'') ? '"' : '\'';

	putc(quote, out);
	for (const char *c = safe; *c; c++) {
		if (*c == '>' && c - safe >= 2 && c[-1] == ']' && c[-2] == ']')
			putc(' ', out);
		if (quote == '"' && strchr("\"`@\\'", *c))
			fprintf(out, "\\%03o", (unsigned)*c);
		else
			putc(*c, out);
	}
	putc(quote, out);
	free(safe);
}

/* Bytes are drawn in the largest unit of which there are two. */
struct unit { const char *name; double bytes; };

static struct unit unit_of(uint64_t most)
{
	static const struct unit units[] = {
		{ "GiB", 1 << 30 }, { "MiB", 1 << 20 }, { "KiB", 1 << 10 }, { "bytes", 1 },
	};
	size_t i = 0;

	while (i < 3 && (double)most < 2 * units[i].bytes)
		i++;
	return units[i];
}

/* The highest of the curves of memory, and of those of address space. */
struct heights { uint64_t memory, space; };

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static struct heights heights_of(const struct timeline *t)
{
	struct heights h = { 0, 0 };

	for (size_t i = 0; i < t->series_count; i++) {
		for (size_t k = 0; k < t->row_count; k++) {
			const struct timeline_row *row = &t->series[i].rows[k];

			h.memory = most(h.memory, most(row->most_bytes, row->break_bytes));
			h.memory = most(h.memory, row->has_rss ? row->rss_bytes : 0);
			h.space = most(h.space, most(row->mapped_bytes, row->malloc_mapped_bytes));
		}
	}
	return h;
}

/*
 * Address space costs nothing until it is touched: 64 MiB for each arena, gigabytes for a
 * virtual machine. Where it would press the other curves flat it has the right axis.
 */
static bool has_own_axis(const struct timeline *t, const struct plot_style *style)
{
	struct heights h = heights_of(t);

	return t->series_count == 1 && !style->is_log && h.memory > 0 && h.space > 4 * h.memory;
}

static uint64_t most_calls(const struct timeline *t)
{
	uint64_t most = 0;

	for (size_t i = 0; i < t->series_count; i++)
		for (size_t k = 0; k < t->row_count; k++)
			if (t->series[i].rows[k].calls > most)
				most = t->series[i].rows[k].calls;
	return most;
}

/* Sizes and numbers of calls in the grid: gnuplot warns of a range that it finds empty. */
struct extent { uint64_t least_size, most_size, most_calls; size_t points; };

static struct extent extent_of(const struct timeline *t)
{
	struct extent e = { UINT64_MAX, 1, 1, 0 };

	for (size_t i = 0; i < SIZE_COLUMNS * SIZE_ROWS; i++) {
		const struct timeline_cell *c = &t->cells[i];

		if (c->calls == 0)
			continue;
		e.points++;
		e.least_size = c->size < e.least_size ? c->size : e.least_size;
		e.most_size = c->size > e.most_size ? c->size : e.most_size;
		e.most_calls = c->calls > e.most_calls ? c->calls : e.most_calls;
	}
	if (e.least_size == 0 || e.least_size == UINT64_MAX)
		e.least_size = 1;
	return e;
}

/* Powers of two with the names that other reports use: gnuplot has "kiB". */
static void put_size_tics(FILE *out, const struct extent *e)
{
	unsigned first = 63 - (unsigned)__builtin_clzll(e->least_size);
	unsigned last = 64 - (unsigned)__builtin_clzll(e->most_size);
	unsigned step = (last - first) / SIZE_TICS + 1;
	const char *before = "set ytics (";

	for (unsigned i = first / step * step; i <= last; i += step, before = ", ") {
		static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB" };

		fprintf(out, "%s'%u %s' %.1f", before, 1u << i % 10, names[i / 10], (double)(1ull << i));
	}
	fputs(")\n", out);
}

static void put_size_panel(FILE *out, const struct timeline *t, const char *data)
{
	struct extent e = extent_of(t);

	fprintf(out, "# 3. sizes asked for: the darker, the more calls\n"
		"set ylabel 'bytes asked for'\nset xlabel 'seconds since the recording began'\n"
		"set logscale y 2\nset yrange [%.1f:%.1f]\nset logscale cb\n"
		"set cbrange [0.9:%" PRIu64 "]\n"
		"unset colorbox\nset palette defined (0 '#aecbfa', 1 '#1a73e8', 2 '#0b2a5b')\n",
		(double)e.least_size / 2, (double)e.most_size * 2, e.most_calls + 1);
	put_size_tics(out, &e);
	fprintf(out, "plot '%s' index %zu using 1:($2 < 1 ? 1 : $2):3 with points pt 7 ps %s "
		"lc palette notitle\n", data, t->series_count, e.points <= FEW_POINTS ? "0.8" : "0.35");
}

static bool any(const struct timeline *t, uint64_t (*value)(const struct timeline_row *row))
{
	for (size_t i = 0; i < t->series_count; i++)
		for (size_t k = 0; k < t->row_count; k++)
			if (value(&t->series[i].rows[k]))
				return true;
	return false;
}

static uint64_t row_mapped(const struct timeline_row *row) { return row->mapped_bytes; }
static uint64_t row_malloc_mapped(const struct timeline_row *row) { return row->malloc_mapped_bytes; }
static uint64_t row_break(const struct timeline_row *row) { return row->break_bytes; }
static uint64_t row_rss(const struct timeline_row *row) { return row->has_rss; }

/* One image: every curve of it. A curve that is nothing but zero is left out of the picture. */
static void put_curves_of_one(FILE *out, const struct timeline *t, const char *data, bool is_log,
			      bool is_right)
{
	static const struct {
		int column;
		bool is_space;
		const char *title, *style;
		uint64_t (*value)(const struct timeline_row *row);
	} curves[] = {
		{ 8, false, "resident (RSS)", "lines dt 1 lw 1.5 lc rgb '#9aa0a6'", row_rss },
		{ 5, true, "mapped by the program", "steps dt 1 lw 1.5 lc rgb '#e8710a'", row_mapped },
		{ 7, true, "mapped by malloc", "steps dt 1 lw 1.5 lc rgb '#9334e6'",
		  row_malloc_mapped },
		{ 6, false, "program break", "steps dt 1 lw 1.5 lc rgb '#188038'", row_break },
	};

	fprintf(out, "plot '%s' index 0 using 1:($2/unit) with filledcurves %s "
		"fs solid 0.25 noborder lc rgb '#1a73e8' notitle, \\\n"
		"     '' index 0 using 1:($3/unit) with lines dt 1 lw 1.5 lc rgb '#1a73e8' "
		"title 'live on the heap'", data, is_log ? "x1" : "y1=0");
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
		bool right = is_right && curves[i].is_space;

		if (any(t, curves[i].value))
			fprintf(out, ", \\\n     '' index 0 using 1:($%d/%s) %swith %s title '%s%s'",
				curves[i].column, right ? "right" : "unit", right ? "axes x1y2 " : "",
				curves[i].style, curves[i].title, right ? " (right)" : "");
	}
	fputs("\n\n", out);
}

/* Several: what each has live. */
static void put_curves_of_many(FILE *out, const struct timeline *t, const char *data)
{
	for (size_t i = 0; i < t->series_count; i++) {
		const struct timeline_series *s = &t->series[i];
		char *command = image_command(s->image);
		char *fit = visible_fit(command, 40);
		char *title = xasprintf("%s (%" PRIu32 ")", fit, s->image->pid);

		fprintf(out, "%s'%s' index %zu using 1:($3/unit) with lines lw 1.5 ",
			i ? ", \\\n     " : "plot ", i ? "" : data, i);
		/* more would not fit into the key */
		if (i < SERIES_SHOWN) {
			fputs("title ", out);
			put_quoted(out, title);
		} else {
			fputs("notitle", out);
		}
		free(command);
		free(fit);
		free(title);
	}
	fputs("\n\n", out);
}

static void put_peak(FILE *out, const struct timeline *t, struct unit unit)
{
	const struct timeline_series *s = &t->series[0];
	bool is_late = s->peak_stamp - t->from_stamp > (t->to_stamp - t->from_stamp) / 2;
	char text[UNITS_MAX];

	if (t->series_count != 1 || s->peak_bytes == 0)
		return;
	fprintf(out, "# the peak: %" PRIu64 " bytes\n"
		"set label 1 'peak %s' at %.9f,%.6f %s point pt 7 ps 0.8 offset character %d,0.9 "
		"tc rgb '#1a73e8' front\n", s->peak_bytes, units_bytes(text, s->peak_bytes),
		(double)recording_ns(t->recording, s->peak_stamp) / 1e9,
		(double)s->peak_bytes / unit.bytes, is_late ? "right" : "left", is_late ? -1 : 1);
}

/* Lines in every panel, names in the first one. */
static void put_marks(FILE *out, const struct timeline *t)
{
	const struct recording *r = t->recording;
	size_t count = 0;
	int number = 100;

	for (size_t i = 0; i < r->mark_count; i++)
		count += r->marks[i].stamp >= t->from_stamp && r->marks[i].stamp <= t->to_stamp;
	if (count > 0)
		fprintf(out, "# marks of the program and of `allotrope mark`%s\n",
			count > MARKS_NAMED ? ": too many for names" : "");
	for (size_t i = 0; i < r->mark_count; i++) {
		double at = (double)recording_ns(r, r->marks[i].stamp) / 1e9;

		if (r->marks[i].stamp < t->from_stamp || r->marks[i].stamp > t->to_stamp)
			continue;
		fprintf(out, "set arrow %d from %.9f,graph 0 to %.9f,graph 1 nohead back dt 2 "
			"lc rgb '#9aa0a6'\n", number, at, at);
		if (count <= MARKS_NAMED) {
			char *name = visible_fit(r->marks[i].name, MARK_NAME_WIDTH);

			fprintf(out, "set label %d ", number);
			put_quoted(out, name);
			fprintf(out, " at %.9f,graph 0.98 rotate by 90 right offset character -0.6,0 "
				"noenhanced tc rgb '#5f6368'\n", at);
			free(name);
		}
		number++;
	}
	if (count > 0)
		putc('\n', out);
}

void timeline_put_script(FILE *out, const struct timeline *t, const struct plot_style *style)
{
	struct heights heights = heights_of(t);
	bool is_right = has_own_axis(t, style);
	uint64_t highest = is_right ? heights.memory : most(heights.memory, heights.space);
	struct unit unit = unit_of(highest), right = unit_of(heights.space);

	fprintf(out, "# allotrope timeline: draws %s; run: gnuplot timeline.gp\n"
		"set terminal %s size %u,%u font 'sans,11'%s\n",
		style->data, style->terminal, style->width, style->height,
		strcmp(style->terminal, "svg") == 0 ? " background '#ffffff'" : "");
	if (style->output)
		fprintf(out, "set output '%s'\n", style->output);
	fprintf(out, "unit = %.0f.0   # bytes in one %s\n"
		"set multiplot layout %d,1 title ", unit.bytes, unit.name, t->cells ? 3 : 2);
	put_quoted(out, style->title);
	/* an empty line between it and the key */
	fprintf(out, ".\"\\n\" noenhanced\n"
		"set lmargin 12\nset rmargin %d\n"
		"set grid xtics ytics back lt 1 lw 0.7 lc rgb '#dadce0'\n"
		"set border 3\nset tics nomirror\nset xrange [%.9f:%.9f]\n"
		"set key outside top center horizontal noenhanced\n\n",
		is_right ? 12 : 4, (double)recording_ns(t->recording, t->from_stamp) / 1e9,
		(double)recording_ns(t->recording, t->to_stamp) / 1e9);
	put_marks(out, t);
	fprintf(out, "# 1. what is live, mapped and resident\nset ylabel '%s%s'\n", unit.name,
		style->is_estimate ? " (heap: estimates)" : "");
	if (is_right)
		fprintf(out, "right = %.0f.0   # bytes in one %s\nset y2label 'address space, %s'\n"
			"set y2tics\nset y2range [0:*]\n", right.bytes, right.name, right.name);
	fputs(highest == 0 ? "set yrange [0:1]\n" : style->is_log ? "set logscale y\n" :
	      "set yrange [0:*]\n", out);
	put_peak(out, t, unit);
	if (t->series_count == 1)
		put_curves_of_one(out, t, style->data, style->is_log, is_right);
	else
		put_curves_of_many(out, t, style->data);
	if (is_right)
		fputs("unset y2label\nunset y2tics\n\n", out);
	fprintf(out, "# 2. calls of the allocator in a second\nunset label\nunset logscale y\n"
		"set yrange [0:%s]\nset ylabel 'heap calls / s'\nset format y '%%.1s%%c'\n%s",
		most_calls(t) ? "*" : "1",
		t->cells ? "" : "set xlabel 'seconds since the recording began'\n");
	if (t->series_count == 1)
		fprintf(out, "plot '%s' index 0 using 1:10 with steps dt 1 lw 1.2 "
			"lc rgb '#d93025' notitle\n\n",
			style->data);
	else
		for (size_t i = 0; i < t->series_count; i++)
			fprintf(out, "%s'%s' index %zu using 1:10 with steps lw 1.2 notitle%s",
				i ? "" : "plot ", i ? "" : style->data, i,
				i + 1 < t->series_count ? ", \\\n     " : "\n\n");
	if (t->cells)
		put_size_panel(out, t, style->data);
	fputs("unset multiplot\n", out);
}
