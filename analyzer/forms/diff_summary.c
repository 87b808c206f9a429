/*
 * diff_summary.c - `diff`: what differs, on one screen: the figures of both sides and the
 * call stacks with the largest change. What no two runs have alike (time, resident
 * memory, system calls) is shown, and is no difference.
 */
#include "forms/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/term.h"
#include "base/units.h"
#include "base/xmem.h"

/* Call stacks under the figures, without --top. */
#define STACKS_SHOWN 5

enum unit { BYTES, COUNT, TIME };

struct figure {
	const char *key, *text;
	const char *moment_text;       /* between two moments */
	enum unit unit;
	bool varies;                   /* between two runs of one program */
	uint64_t values[DIFF_SIDES];
	bool is_known[DIFF_SIDES];
};

enum {
	FIGURE_PEAK, FIGURE_TOTAL, FIGURE_BLOCKS, FIGURE_FREED, FIGURE_FREED_BLOCKS, FIGURE_END,
	FIGURE_END_BLOCKS, FIGURE_TEMPORARY, FIGURE_MAPPED_PEAK, FIGURE_MAPPED_END,
	FIGURE_SYSCALLS, FIGURE_RSS, FIGURE_TIME, FIGURE_COUNT,
};

static const struct figure blank[FIGURE_COUNT] = {
#define FIGURE(name, key, unit, varies, text, moment_text) \
	[FIGURE_##name] = { key, text, moment_text, unit, varies, { 0 }, { 0 } },
	FIGURE(PEAK, "peak_bytes", BYTES, false, "peak of the heap", "peak until then")
	FIGURE(TOTAL, "total_bytes", BYTES, false, "allocated in all", "allocated until then")
	FIGURE(BLOCKS, "total_blocks", COUNT, false, "blocks allocated", "blocks allocated")
	FIGURE(FREED, "freed_bytes", BYTES, false, "freed in all", "freed until then")
	FIGURE(FREED_BLOCKS, "freed_blocks", COUNT, false, "blocks freed", "blocks freed")
	FIGURE(END, "end_bytes", BYTES, false, "live at the end", "live")
	FIGURE(END_BLOCKS, "end_blocks", COUNT, false, "blocks live at the end", "blocks live")
	FIGURE(TEMPORARY, "temporary_blocks", COUNT, false, "temporary blocks", "temporary blocks")
	FIGURE(MAPPED_PEAK, "mapped_peak_bytes", BYTES, false, "peak of mappings", "peak of mappings")
	FIGURE(MAPPED_END, "mapped_end_bytes", BYTES, false, "mapped at the end", "mapped")
	FIGURE(SYSCALLS, "memory_syscalls", COUNT, true, "memory system calls", "memory system calls")
	FIGURE(RSS, "max_rss_bytes", BYTES, true, "resident at most", "")
	FIGURE(TIME, "time_ns", TIME, true, "time", "")
#undef FIGURE
};

static uint64_t memory_calls(const struct heap *h)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < SYS_MEM_COUNT; i++)
		sum += h->syscalls[i].calls;
	return sum;
}

static uint64_t run_time(const struct diff *d, int side, const struct image *image)
{
	return recording_span_ns(d->sides[side].run->recording, image->start_stamp, image->end_stamp);
}

static void add(struct figure *f, int side, uint64_t value)
{
	f->values[side] += value;
	f->is_known[side] = true;
}

/* The longest, the largest: for what does not add up. */
static void raise_to(struct figure *f, int side, uint64_t value)
{
	if (value > f->values[side])
		f->values[side] = value;
	f->is_known[side] = true;
}

static void add_heap(const struct diff *d, struct figure *f, int side, const struct heap *h)
{
	add(&f[FIGURE_PEAK], side, h->peak.bytes);
	add(&f[FIGURE_TOTAL], side, h->total.bytes);
	add(&f[FIGURE_BLOCKS], side, h->total.blocks);
	add(&f[FIGURE_FREED], side, h->freed.bytes);
	add(&f[FIGURE_FREED_BLOCKS], side, h->freed.blocks);
	add(&f[FIGURE_END], side, h->end.bytes);
	add(&f[FIGURE_END_BLOCKS], side, h->end.blocks);
	add(&f[FIGURE_TEMPORARY], side, h->temporary.blocks);
	add(&f[FIGURE_MAPPED_PEAK], side, h->mapped_peak.bytes);
	add(&f[FIGURE_MAPPED_END], side, h->mapped_end.bytes);
	add(&f[FIGURE_SYSCALLS], side, memory_calls(h));
	/* what is known of the whole run says nothing about a moment of it */
	if (d->moments[side])
		return;
	if (h->image->maxrss_bytes)
		raise_to(&f[FIGURE_RSS], side, h->image->maxrss_bytes);
	raise_to(&f[FIGURE_TIME], side, run_time(d, side, h->image));
}

static void collect(const struct diff *d, struct figure figures[FIGURE_COUNT])
{
	memcpy(figures, blank, sizeof(blank));
	for (int side = 0; side < DIFF_SIDES; side++) {
		/* a side without a program has allocated nothing: that is known */
		for (size_t i = 0; i < FIGURE_RSS; i++)
			figures[i].is_known[side] = true;
		for (size_t i = 0; i < d->sides[side].heap_count; i++)
			add_heap(d, figures, side, d->sides[side].heaps[i]);
		if (recording_sampling(d->sides[side].run->recording))
			figures[FIGURE_TEMPORARY].is_known[side] = false;
	}
}

static bool is_known(const struct figure *f)
{
	return f->is_known[DIFF_OLD] && f->is_known[DIFF_NEW];
}

static bool is_different(const struct diff *d, const struct figure figures[FIGURE_COUNT])
{
	for (size_t i = 0; i < FIGURE_COUNT; i++)
		if (!figures[i].varies && is_known(&figures[i]) &&
		    figures[i].values[DIFF_OLD] != figures[i].values[DIFF_NEW])
			return true;
	for (size_t i = 0; i < d->match->count; i++)
		if (diff_is_changed(&d->match->rows[i]))
			return true;
	return false;
}

/* ---- text ---- */

enum { COL_WHAT, COL_OLD, COL_NEW, COL_CHANGE, COL_PERCENT, COLS };

/* Figures of several units in one column are words: formatted here, aligned as numbers. */
static const char *value_text(char *buffer, enum unit unit, uint64_t value)
{
	return unit == BYTES ? units_bytes(buffer, value) :
	       unit == COUNT ? units_count(buffer, value) : units_ns(buffer, value);
}

static const char *more_text(char *buffer, enum unit unit, int64_t change)
{
	uint64_t size = change < 0 ? -(uint64_t)change : (uint64_t)change;

	if (unit != TIME)
		return change_text(buffer, change, unit == BYTES);
	*buffer = change < 0 ? '-' : '+';
	units_ns(buffer + (change != 0), size);
	return buffer;
}

static void put_figure(struct diff *d, const struct figure *f)
{
	char old[UNITS_MAX] = "-", new[UNITS_MAX] = "-", more[UNITS_MAX + 1] = "", percent[32] = "";
	bool is_alike = is_known(f) && f->values[DIFF_OLD] == f->values[DIFF_NEW];
	bool is_faint = is_alike || f->varies;

	/* what neither side has is no line */
	if (!f->values[DIFF_OLD] && !f->values[DIFF_NEW])
		return;
	if (f->is_known[DIFF_OLD])
		value_text(old, f->unit, f->values[DIFF_OLD]);
	if (f->is_known[DIFF_NEW])
		value_text(new, f->unit, f->values[DIFF_NEW]);
	if (is_known(f) && !is_alike) {
		struct cell c = diff_percent(f->values[DIFF_OLD], f->values[DIFF_NEW]);

		more_text(more, f->unit, diff_change(f->values[DIFF_OLD], f->values[DIFF_NEW]));
		if (c.is_known)
			snprintf(percent, sizeof(percent), "%+.1f %%", c.real);
	}
	fprintf(d->out, "%s%-22s %13s %13s  %13s", is_faint ? term_style(d->color, STYLE_FAINT) : "",
		d->moments[DIFF_NEW] ? f->moment_text : f->text, old, new, is_alike ? "=" : more);
	if (*percent)
		fprintf(d->out, "  %10s", percent);
	fprintf(d->out, "%s\n", is_faint ? term_plain(d->color) : "");
}

/* "12 call stacks grew, 3 shrank, 2 are new, 1 is gone". */
static void put_counts(struct diff *d, const size_t counts[DIFF_STATUS_COUNT])
{
	static const struct { enum diff_status status; const char *one, *many; } words[] = {
		{ DIFF_GROWN, "grew", "grew" }, { DIFF_SHRUNK, "shrank", "shrank" },
		{ DIFF_ADDED, "is new", "are new" }, { DIFF_REMOVED, "is gone", "are gone" },
	};
	char text[UNITS_MAX];
	bool is_first = true;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = counts[words[i].status];

		if (n == 0)
			continue;
		fprintf(d->out, "%s%s %s%s", is_first ? "" : ", ", units_count(text, n),
			!is_first ? "" : n == 1 ? "call stack " : "call stacks ",
			n == 1 ? words[i].one : words[i].many);
		is_first = false;
	}
	fprintf(d->out, ", by %s:\n\n", diff_metric_text(d));
}

static void count_rows(const struct diff *d, size_t counts[DIFF_STATUS_COUNT])
{
	memset(counts, 0, DIFF_STATUS_COUNT * sizeof(*counts));
	for (size_t i = 0; i < d->match->count; i++)
		counts[diff_status(&d->match->rows[i], d->metric)]++;
}

static int put_text(struct diff *d, const struct figure figures[FIGURE_COUNT], bool differs)
{
	size_t counts[DIFF_STATUS_COUNT], top = d->top ? d->top : STACKS_SHOWN, shown;
	int64_t changed;

	diff_put_sides(d);
	if (!differs) {
		fputs("no difference\n", d->out);
		return 0;
	}
	fprintf(d->out, "%s%-22s %13s %13s  %13s%s\n", term_style(d->color, STYLE_HEAD), "",
		d->is_moments ? "from" : "old", d->is_moments ? "to" : "new", "change",
		term_plain(d->color));
	for (size_t i = 0; i < FIGURE_COUNT; i++)
		put_figure(d, &figures[i]);
	count_rows(d, counts);
	putc('\n', d->out);
	if (counts[DIFF_SAME] == d->match->count) {
		fprintf(d->out, "no call stack differs in %s\n", diff_metric_text(d));
		return 1;
	}
	put_counts(d, counts);
	changed = diff_sites_table(d, d->out, EMIT_TEXT, top, &shown);
	if (changed < 0)
		return -1;
	if (shown < (uint64_t)changed)
		fprintf(d->out, "%s\n%zu of %zu call stacks that differ; the others: --form=sites%s\n",
			term_style(d->color, STYLE_FAINT), shown, (size_t)changed,
			term_plain(d->color));
	return 1;
}

/* ---- CSV and JSON ---- */

static const struct column csv_columns[] = {
	{ "figure", NULL, COLUMN_TEXT, 0, false, NULL },
	{ "old", NULL, COLUMN_EXACT, 0, false, NULL },
	{ "new", NULL, COLUMN_EXACT, 0, false, NULL },
	{ "change", NULL, COLUMN_MORE_COUNT, 0, false, NULL },
	{ "percent", NULL, COLUMN_PERCENT, 0, false, NULL },
};

#define CSV_COLUMNS (sizeof(csv_columns) / sizeof(csv_columns[0]))

static void put_figure_rows(FILE *out, enum emit_format format,
			    const struct figure figures[FIGURE_COUNT])
{
	struct emit_options options = { .format = format };
	struct emit *table = emit_new(out, csv_columns, CSV_COLUMNS, &options);

	for (size_t i = 0; i < FIGURE_COUNT; i++) {
		const struct figure *f = &figures[i];
		struct cell cells[CSV_COLUMNS] = { cell_text(f->key) };

		for (int side = 0; side < DIFF_SIDES; side++)
			if (f->is_known[side])
				cells[1 + side] = cell_number(f->values[side]);
		if (is_known(f)) {
			cells[3] = cell_change(diff_change(f->values[DIFF_OLD], f->values[DIFF_NEW]));
			cells[4] = diff_percent(f->values[DIFF_OLD], f->values[DIFF_NEW]);
		}
		emit_row(table, cells);
	}
	emit_free(table);
}

static json_t *side_json(const struct diff *d, int side)
{
	const struct diff_side *s = &d->sides[side];
	const struct recording *r = s->run->recording;
	json_t *o = json_object(), *images = json_array();

	json_object_set_new(o, "file", json_from_text(r->path));
	if (d->moments[side])
		json_object_set_new(o, "moment", json_from_text(d->moments[side]));
	json_object_set_new(o, "sampling_bytes", json_from_number(recording_sampling(r)));
	for (size_t i = 0; i < s->heap_count; i++) {
		const struct image *image = s->heaps[i]->image;
		char *command = image_command(image);
		json_t *item = json_object();

		json_object_set_new(item, "pid", json_from_number(image->pid));
		json_object_set_new(item, "exec", json_from_number(image->exec_number));
		json_object_set_new(item, "command", json_from_text(command));
		json_array_append_new(images, item);
		free(command);
	}
	json_object_set_new(o, "programs", images);
	return o;
}

/* What WRITE prints as JSON, as a value. */
static json_t *figures_json(const struct figure figures[FIGURE_COUNT])
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	json_t *v;

	if (!out)
		return json_array();
	put_figure_rows(out, EMIT_JSON, figures);
	fclose(out);
	v = json_loadb(text, bytes, 0, NULL);
	free(text);
	return v ? v : json_array();
}

static json_t *sites_json(struct diff *d)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	json_t *v = NULL;

	if (!out)
		return NULL;
	if (diff_sites_table(d, out, EMIT_JSON, d->top, NULL) >= 0 && fflush(out) == 0)
		v = json_loadb(text, bytes, 0, NULL);
	fclose(out);
	free(text);
	return v;
}

static int put_json(struct diff *d, const struct figure figures[FIGURE_COUNT], bool differs)
{
	json_t *o, *sites = sites_json(d), *counts_object = json_object();
	size_t counts[DIFF_STATUS_COUNT];

	if (!sites) {
		json_decref(counts_object);
		return -1;
	}
	count_rows(d, counts);
	for (size_t i = 0; i < DIFF_STATUS_COUNT; i++)
		json_object_set_new(counts_object, diff_status_name((enum diff_status)i),
				    json_from_number(counts[i]));
	o = json_object();
	json_object_set_new(o, "old", side_json(d, DIFF_OLD));
	json_object_set_new(o, "new", side_json(d, DIFF_NEW));
	json_object_set_new(o, "different", json_boolean(differs));
	json_object_set_new(o, "figures", figures_json(figures));
	json_object_set_new(o, "metric", json_string(metric_name(d->metric)));
	json_object_set_new(o, "counts", counts_object);
	json_object_set_new(o, "sites", sites);
	json_object_set(o, "notes", d->notes);
	json_write(d->out, o);
	return differs;
}

int diff_put_summary(struct diff *d)
{
	struct figure figures[FIGURE_COUNT];
	bool differs;

	collect(d, figures);
	differs = is_different(d, figures);
	switch (d->format) {
	case EMIT_JSON:
		return put_json(d, figures, differs);
	case EMIT_CSV:
		put_figure_rows(d->out, EMIT_CSV, figures);
		return differs;
	default:
		return put_text(d, figures, differs);
	}
}
