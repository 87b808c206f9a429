/*
 * massif.c - the report `massif`: the heap over time as valgrind's Massif shows it, as the
 * drawing of ms_print, as Massif's own file, or as a table of its snapshots.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/visible.h"
#include "base/xmem.h"
#include "forms/form.h"
#include "forms/massif_report.h"

#define COLUMNS_DEFAULT 72
#define ROWS_DEFAULT 20
#define DEPTH_DEFAULT 30
#define DEPTH_LIMIT 1000

struct massif_state {
	struct massif_options options;
	uint32_t columns, rows;
	struct massif_watch **watches; /* of the images shown that had events, by their first */
	size_t count, capacity;
	struct massif_watch *last;     /* of the last event */
};

static const struct form_format formats[] = {
	{ "massif", "the file that ms_print and massif-visualizer read", .is_binary = false },
	{ 0 },
};

enum {
	COL_PID, COL_EXEC, COL_SNAPSHOT, COL_KIND, COL_TIME, COL_TOTAL, COL_HEAP, COL_EXTRA,
	COL_STACKS, COL_TREE, COL_COUNT,
};

static const struct column columns[COL_COUNT] = {
	[COL_PID] = { "pid", NULL, COLUMN_EXACT, 0, false, "process" },
	[COL_EXEC] = { "exec", NULL, COLUMN_EXACT, 0, false, "its program: 0 for the first" },
	[COL_SNAPSHOT] = { "snapshot", NULL, COLUMN_EXACT, 0, false, "number, from 0" },
	[COL_KIND] = { "kind", NULL, COLUMN_TEXT, 0, false, "normal, detailed or peak" },
	[COL_TIME] = { "time", NULL, COLUMN_REAL, 0, false, "in the unit of --time-unit" },
	[COL_TOTAL] = { "total_bytes", NULL, COLUMN_BYTES, 0, false,
		"heap_bytes + extra_bytes + stacks_bytes" },
	[COL_HEAP] = { "heap_bytes", NULL, COLUMN_BYTES, 0, false, "live bytes as requested" },
	[COL_EXTRA] = { "extra_bytes", NULL, COLUMN_BYTES, 0, false,
		"what the allocator needs for them besides" },
	[COL_STACKS] = { "stacks_bytes", NULL, COLUMN_BYTES, 0, false,
		"resident stack memory, an estimate (--stack-bytes)" },
	[COL_TREE] = { "tree", NULL, COLUMN_JSON, 0, false,
		"lines of the heap tree, a caller under what it called: {depth, bytes, frame}" },
};

/* ---- events ---- */

static struct massif_watch *watch_of(struct run *run, uint32_t number)
{
	struct massif_state *s = run->state;
	const struct image *image;

	if (s->last && s->last->image->number == number)
		return s->last;
	for (size_t i = 0; i < s->count; i++)
		if (s->watches[i]->image->number == number)
			return s->last = s->watches[i];
	image = recording_image(run->recording, number);
	if (!image)
		return NULL;
	xgrow(&s->watches, &s->capacity, s->count, sizeof(*s->watches));
	s->last = s->watches[s->count++] = xcalloc(1, sizeof(*s->last));
	massif_watch_init(s->last, run->recording, image, &s->options, run->since_stamp);
	return s->last;
}

static void massif_watch_all(struct run *run, const struct event *event,
			     const struct change *change)
{
	struct massif_watch *w;

	if (!run_shows(run, event->image))
		return;
	w = watch_of(run, event->image);
	if (w)
		massif_watch_event(w, event, change);
}

/* ---- what was not recorded ---- */

static bool has_stack_samples(const struct run *run)
{
	const struct recording *r = run->recording;

	for (size_t i = 0; i < r->sample_count; i++)
		if (r->samples[i].has_parts && run_shows(run, r->samples[i].image))
			return true;
	return false;
}

static bool has_system_calls(const struct massif_state *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->watches[i]->pages.stream_count > 0)
			return true;
	return false;
}

static int massif_begin(struct run *run)
{
	struct massif_state *s = run->state;

	if (s->options.has_stacks && s->options.is_pages)
		return diag_set(run->diag, STATUS_USAGE, "--stack-bytes and --pages-as-heap exclude "
				"each other: the pages of stacks are among all pages");
	if (s->options.has_stacks && !has_stack_samples(run))
		return diag_set(run->diag, STATUS_USAGE, "no stack memory was sampled in this "
				"recording: the program was too short for a sample of its memory, or "
				"`record --memory-interval` was long");
	return 0;
}

/* ---- output ---- */

static char *arguments_text(const struct massif_state *s)
{
	static const char *const units[] = { "B", "ms", "calls" };
	static const char *const extras[] = { "", " --exact-extra", " --valgrind-extra" };
	const struct massif_options *o = &s->options;

	return xasprintf("--time-unit=%s --threshold=%g --peak-inaccuracy=%g --max-snapshots=%" PRIu32
			 " --detailed-freq=%" PRIu32 " --depth=%" PRIu32 "%s%s%s (allotrope)",
			 units[o->unit], o->threshold, o->peak_inaccuracy, o->max_snapshots,
			 o->detailed_every, o->depth, o->is_pages ? " --pages-as-heap" : "",
			 extras[o->extra],
			 o->has_stacks ? " --stack-bytes" : "");
}

static json_t *tree_json(const struct massif_report *report, const struct snapshot *s)
{
	json_t *list = json_array();
	struct massif_lines lines;

	massif_lines_make(report->trees, s, &lines);
	for (size_t i = 0; i < lines.count; i++) {
		const struct massif_line *line = &lines.items[i];
		char *text = line->label ? NULL :
			     massif_places_text(line, report->options->threshold);
		json_t *o = json_object();

		json_object_set_new(o, "depth", json_integer(line->depth));
		json_object_set_new(o, "bytes", json_from_number(line->bytes));
		json_object_set_new(o, "frame", json_from_text(text ? text : line->label));
		json_array_append_new(list, o);
		free(text);
	}
	massif_lines_release(&lines);
	return list;
}

static void put_rows(const struct run *run, struct emit *table, const struct massif_watch *w,
		     const struct massif_report *report)
{
	static const char *const kinds[] = { "normal", "detailed", "peak" };

	for (size_t i = 0; i < w->snapshots.count; i++) {
		const struct snapshot *s = &w->snapshots.items[i];
		double time = (double)s->time;
		struct cell cells[COL_COUNT] = {
			[COL_PID] = cell_number(w->image->pid),
			[COL_EXEC] = cell_number(w->image->exec_number),
			[COL_SNAPSHOT] = cell_number(i),
			[COL_KIND] = cell_text(kinds[s->kind]),
			[COL_TIME] = cell_real(w->options->unit == UNIT_MS ? time / 1000 : time),
			[COL_TOTAL] = cell_number(s->heap_bytes + s->extra_bytes + s->stack_bytes),
			[COL_HEAP] = cell_number(s->heap_bytes),
			[COL_EXTRA] = cell_number(s->extra_bytes),
			[COL_STACKS] = cell_number(s->stack_bytes),
		};

		if (run->format == EMIT_JSON && s->kind != SNAPSHOT_NORMAL)
			cells[COL_TREE] = cell_json(tree_json(report, s));
		emit_row(table, cells);
	}
}

static void put_watch(struct run *run, const struct massif_watch *w, struct emit *table)
{
	struct massif_state *s = run->state;
	char *command = image_command(w->image), *safe = visible_text(command ? command : "");
	char *arguments = arguments_text(s), *input = visible_text(run->recording->path);
	struct massif_report report = {
		.options = &s->options,
		.snapshots = &w->snapshots,
		.trees = massif_trees_new(run->resolver, run->wrappers, run->stacks,
					  s->options.is_pages, s->options.threshold,
					  s->options.depth),
		.command = safe,
		.arguments = arguments,
		.input = input,
		.columns = s->columns,
		.rows = s->rows,
	};

	if (table) {
		put_rows(run, table, w, &report);
	} else if (run->own_format) {
		massif_put_file(run->out, &report);
	} else {
		run_put_image(run, w->image);
		massif_draw(run->out, &report);
	}
	massif_trees_free(report.trees);
	free(input);
	free(arguments);
	free(command);
	free(safe);
}

static void put_image_notes(struct run *run, const struct massif_watch *w)
{
	const struct massif_state *s = run->state;

	if (s->options.is_pages && w->image->how == PROCESS_FORKED)
		run_note(run, "what a forked process has from its parent is not among its pages");
	if (s->options.extra == EXTRA_VALGRIND && !s->options.is_pages && !w->arena)
		run_note(run, "extra heap is rounded: what valgrind's allocator would have taken is "
			 "not known %s", recording_sampling(run->recording) ? "from a sample" :
			 "of a forked process");
}

static void put_notes(struct run *run)
{
	const struct massif_state *s = run->state;

	if (s->options.has_stacks)
		run_note(run, "stacks are an estimate: the resident stack memory of the last sample "
			 "before each snapshot, or of the first");
	for (size_t i = 0; i < s->count; i++)
		put_image_notes(run, s->watches[i]);
}

static int massif_end(struct run *run)
{
	struct massif_state *s = run->state;
	struct emit *table = NULL;

	/* an image without events has a picture too: nothing */
	for (size_t i = 0; i < run->recording->image_count && s->count == 0; i++)
		if (run_shows(run, run->recording->images[i].number))
			watch_of(run, run->recording->images[i].number);
	if (run->own_format && s->count > 1)
		return diag_set(run->diag, STATUS_USAGE, "a massif file holds one program, and %zu are "
				"asked for: choose one with --pid", s->count);
	if (s->options.is_pages && !has_system_calls(s))
		return diag_set(run->diag, STATUS_USAGE, "no memory system calls were recorded: "
				"--pages-as-heap needs `record` without --syscalls=off");
	if (!run->own_format && run->format != EMIT_TEXT)
		table = run_table(run, columns, COL_COUNT);
	for (size_t i = 0; i < s->count; i++) {
		struct massif_watch *w = s->watches[i];
		uint64_t end = w->image->end_stamp;

		if (run->until_stamp < end)
			end = run->until_stamp;
		massif_watch_finish(w, run->has_at, end);
		if (i > 0 && !table)
			putc('\n', run->out);
		put_watch(run, w, table);
	}
	if (table)
		emit_free(table);
	put_notes(run);
	return 0;
}

static void massif_release(struct run *run)
{
	struct massif_state *s = run->state;

	for (size_t i = 0; i < s->count; i++) {
		massif_watch_release(s->watches[i]);
		free(s->watches[i]);
	}
	free(s->watches);
}

/* ---- options ---- */

enum {
	KEY_TIME_UNIT = 0x100, KEY_THRESHOLD, KEY_MAX_SNAPSHOTS, KEY_DETAILED_FREQ,
	KEY_PEAK_INACCURACY, KEY_DEPTH, KEY_PAGES, KEY_EXACT_EXTRA, KEY_VALGRIND_EXTRA, KEY_STACKS,
	KEY_X, KEY_Y,
};

static uint32_t whole_in(struct argp_state *state, const char *option, const char *arg,
			 uint32_t least, uint32_t most)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(arg, &end, 10);
	if (*arg < '0' || *arg > '9' || *end || errno || value < least || value > most)
		form_usage_error(state, "--%s takes a whole number from %" PRIu32 " to %" PRIu32
				 ", not '%s'", option, least, most, arg);
	return (uint32_t)value;
}

static double percent_in(struct argp_state *state, const char *option, const char *arg)
{
	char *end;
	double value = strtod(arg, &end);

	if (strspn(arg, "0123456789.") != strcspn(arg, "%") || end == arg ||
	    (*end && strcmp(end, "%") != 0) || !(value >= 0 && value <= 100))
		form_usage_error(state, "--%s takes per cent from 0 to 100, not '%s'", option, arg);
	return value;
}

static enum massif_unit unit_in(struct argp_state *state, const char *arg)
{
	if (strcmp(arg, "B") == 0)
		return UNIT_BYTES;
	if (strcmp(arg, "ms") == 0)
		return UNIT_MS;
	if (strcmp(arg, "calls") == 0 || strcmp(arg, "i") == 0)
		return UNIT_CALLS;
	form_usage_error(state, "--time-unit takes B, ms or calls, not '%s'", arg);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const struct form_input *input = state->input;
	struct massif_state *s = input->state;
	struct massif_options *o = &s->options;

	switch (key) {
	case ARGP_KEY_INIT:
		o->threshold = 1;
		o->max_snapshots = 100;
		o->detailed_every = 10;
		o->depth = DEPTH_DEFAULT;
		s->columns = COLUMNS_DEFAULT;
		s->rows = ROWS_DEFAULT;
		return 0;
	case KEY_TIME_UNIT:
		o->unit = unit_in(state, arg);
		return 0;
	case KEY_THRESHOLD:
		o->threshold = percent_in(state, "threshold", arg);
		return 0;
	case KEY_PEAK_INACCURACY:
		o->peak_inaccuracy = percent_in(state, "peak-inaccuracy", arg);
		return 0;
	case KEY_MAX_SNAPSHOTS:
		o->max_snapshots = whole_in(state, "max-snapshots", arg, 10, 1000);
		return 0;
	case KEY_DETAILED_FREQ:
		o->detailed_every = whole_in(state, "detailed-freq", arg, 1, 1000000);
		return 0;
	case KEY_DEPTH:
		o->depth = whole_in(state, "depth", arg, 1, DEPTH_LIMIT);
		return 0;
	case KEY_X:
		s->columns = whole_in(state, "x", arg, 4, 1000);
		return 0;
	case KEY_Y:
		s->rows = whole_in(state, "y", arg, 4, 1000);
		return 0;
	case KEY_PAGES:
		o->is_pages = true;
		return 0;
	case KEY_EXACT_EXTRA:
		o->extra = EXTRA_EXACT;
		return 0;
	case KEY_VALGRIND_EXTRA:
		o->extra = EXTRA_VALGRIND;
		return 0;
	case KEY_STACKS:
		o->has_stacks = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "time-unit", KEY_TIME_UNIT, "UNIT", 0, "What time is: B, bytes allocated and freed so far "
	  "(default); ms; calls, of the allocator", 0 },
	{ "threshold", KEY_THRESHOLD, "PERCENT", 0, "Leave out of trees what is less of the total (1)", 0 },
	{ "peak-inaccuracy", KEY_PEAK_INACCURACY, "PERCENT", 0, "A new peak must be so much higher "
	  "(0, the exact peak)", 0 },
	{ "max-snapshots", KEY_MAX_SNAPSHOTS, "N", 0, "At most N snapshots, 10 to 1000 (100)", 0 },
	{ "detailed-freq", KEY_DETAILED_FREQ, "N", 0, "Every Nth snapshot has a tree (10)", 0 },
	{ "depth", KEY_DEPTH, "N", 0, "Frames of a call stack (30)", 0 },
	{ "pages-as-heap", KEY_PAGES, NULL, 0, "Pages that the kernel gave instead of blocks that the "
	  "allocator gave", 0 },
	{ "exact-extra", KEY_EXACT_EXTRA, NULL, 0, "Extra heap is what this allocator really took, not "
	  "Massif's 8 bytes and rounding to 16", 0 },
	{ "valgrind-extra", KEY_VALGRIND_EXTRA, NULL, 0, "Extra heap is what valgrind's own allocator "
	  "would have taken, to the byte: for comparisons", 0 },
	{ "stack-bytes", KEY_STACKS, NULL, 0, "Add resident stack memory, an estimate from samples", 0 },
	{ "x", KEY_X, "N", 0, "Columns of the graph, 4 to 1000 (72)", 0 },
	{ "y", KEY_Y, "N", 0, "Rows of the graph, 4 to 1000 (20)", 0 },
	{ 0 },
};

static const struct argp argp = { .options = options, .parser = parse };

const struct form form_massif = {
	.name = "massif",
	.summary = "the heap over time as Massif and ms_print show it",
	.needs = NEED_EVENTS | NEED_ALL | NEED_SYMBOLS,
	.options = &argp,
	.doc = "A graph of the heap's size, a list of snapshots, and who held the memory at the peak "
	       "and at other moments: what ms_print prints. Time is in bytes unless --time-unit "
	       "says otherwise. A caller stands under what it called.",
	.columns = columns,
	.column_count = COL_COUNT,
	.formats = formats,
	.takes_at = true,
	.state_size = sizeof(struct massif_state),
	.begin = massif_begin,
	.watch = massif_watch_all,
	.end = massif_end,
	.release = massif_release,
};
