/*
 * timeline.c - the report `timeline`: memory over time, as a picture (gnuplot), as data and
 * script for gnuplot, as a table, or drawn on the terminal.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/out.h"
#include "base/xmem.h"
#include "forms/form.h"
#include "forms/timeline_draw.h"
#include "forms/timeline_plot.h"

#define POINTS_DEFAULT 1000
#define POINTS_MAX     1000000

/* Below this a drawing would say nothing. */
#define COLUMNS_MIN 40

struct timeline_state {
	struct timeline timeline;
	size_t points;             /* 0: not given */
	unsigned width, height;    /* of the picture; 0: default */
	const char *title;
	bool is_log;
};

enum { FORMAT_PNG, FORMAT_SVG, FORMAT_GNUPLOT };

static const struct form_format formats[] = {
	[FORMAT_PNG] = { "png", "a picture, drawn by gnuplot", .is_binary = true },
	[FORMAT_SVG] = { "svg", "the same as SVG" },
	[FORMAT_GNUPLOT] = { "gnuplot", "the folder of -o gets timeline.dat and timeline.gp",
			     .is_folder = true },
	{ 0 },
};

enum {
	COL_PID, COL_EXEC, COL_TIME, COL_LIVE, COL_MOST, COL_BLOCKS, COL_MAPPED, COL_BREAK,
	COL_MALLOC_MAPPED, COL_RSS, COL_CALLS, COL_RATE, COL_COUNT,
};

static const struct column columns[COL_COUNT] = {
	[COL_PID] = { "pid", "pid", COLUMN_EXACT, 0, false, "process" },
	[COL_EXEC] = { "exec", "exec", COLUMN_EXACT, 0, false, "its program: 0 for the first" },
	[COL_TIME] = { "time_s", "time", COLUMN_REAL, 0, false,
		"end of the step, seconds since the recording began" },
	[COL_LIVE] = { "live_bytes", "live", COLUMN_BYTES, 0, false, "bytes live on the heap then" },
	[COL_MOST] = { "most_bytes", "most", COLUMN_BYTES, 0, false,
		"the most live bytes within the step: the largest of all is the peak" },
	[COL_BLOCKS] = { "live_blocks", "blocks", COLUMN_COUNT, 0, false, "blocks live then" },
	[COL_MAPPED] = { "mapped_bytes", "mapped", COLUMN_BYTES, 0, false,
		"bytes that the program itself had mapped (address space)" },
	[COL_BREAK] = { "break_bytes", "break", COLUMN_BYTES, 0, false,
		"program break less its first value: the main heap" },
	[COL_MALLOC_MAPPED] = { "malloc_mapped_bytes", "malloc maps", COLUMN_BYTES, 0, false,
		"bytes that the allocator had mapped for itself (address space)" },
	[COL_RSS] = { "rss_bytes", "resident", COLUMN_BYTES, 0, false,
		"resident memory: the largest sample of the step, or the last before" },
	[COL_CALLS] = { "calls", "calls", COLUMN_COUNT, 0, false, "heap calls in the step" },
	[COL_RATE] = { "calls_per_s", "calls/s", COLUMN_REAL, 0, false, "the same for a second" },
};

/* The span: the window, and in it what the images shown lived. */
static void find_span(const struct run *run, uint64_t *from, uint64_t *to)
{
	const struct recording *r = run->recording;

	*from = UINT64_MAX;
	*to = 0;
	for (size_t i = 0; i < r->image_count; i++) {
		const struct image *image = &r->images[i];

		if (!run_shows(run, image->number))
			continue;
		if (image->start_stamp < *from)
			*from = image->start_stamp;
		if (image->end_stamp > *to)
			*to = image->end_stamp;
	}
	/* a process that was only seen from outside has no other end */
	for (size_t i = 0; i < r->sample_count; i++)
		if (run_shows(run, r->samples[i].image) && r->samples[i].stamp > *to)
			*to = r->samples[i].stamp;
	if (*from > *to) {
		*from = r->start_stamp;
		*to = r->end_stamp;
	}
	if (run->since_stamp > *from)
		*from = run->since_stamp;
	if (run->until_stamp < *to)
		*to = run->until_stamp;
}

static bool is_drawing(const struct run *run)
{
	return run->format == EMIT_TEXT && !run->own_format;
}

static int timeline_begin(struct run *run)
{
	struct timeline_state *s = run->state;
	size_t points = s->points ? s->points : POINTS_DEFAULT;
	uint64_t from, to;

	if (!run->own_format && (s->width || s->title || s->is_log))
		return diag_set(run->diag, STATUS_USAGE, "--size, --title and --log are for pictures: "
				"choose --format=png, svg or gnuplot too");
	if (is_drawing(run)) {
		if (run->terminal_columns && run->terminal_columns < COLUMNS_MIN)
			return diag_set(run->diag, STATUS_USAGE,
					"the terminal has %d columns and the drawing needs %d: widen it, or "
					"--format=csv, or --format=png -o FILE",
					run->terminal_columns, COLUMNS_MIN);
		points = timeline_draw_rows(run->width > 120 ? 120 : run->width);
	}
	find_span(run, &from, &to);
	timeline_init(&s->timeline, run->recording, from, to, points);
	return 0;
}

static void timeline_watch(struct run *run, const struct event *event,
			   const struct change *change)
{
	struct timeline_state *s = run->state;

	if (run_shows(run, event->image))
		timeline_event(&s->timeline, event, change);
}

/*
 * Whether the calls that break and mappings are known by were recorded. One that was recorded from
 * outside has no features; its own note says what is not known.
 */
static bool has_syscalls(const struct image *image)
{
	return !image->is_described || !image->features ||
	       image->features & (FEATURE_SITES_EXACT | FEATURE_SITES_INFERRED);
}

static void note_syscalls(struct run *run)
{
	const struct timeline *t = &((const struct timeline_state *)run->state)->timeline;

	for (size_t i = 0; i < t->series_count; i++)
		if (!has_syscalls(t->series[i].image)) {
			run_note(run, "the program break and mappings were not recorded: record without "
				 "--syscalls=off does that");
			return;
		}
}

static void put_table(struct run *run)
{
	const struct timeline_state *s = run->state;
	const struct timeline *t = &s->timeline;
	struct emit *table = run_table(run, columns, COL_COUNT);
	double step = timeline_step_seconds(t);

	for (size_t i = 0; i < t->series_count; i++) {
		bool is_known = has_syscalls(t->series[i].image);

		for (size_t k = 0; k < run_rows(run, t->row_count); k++) {
			const struct timeline_row *row = &t->series[i].rows[k];
			struct cell cells[COL_COUNT] = {
				[COL_PID] = cell_number(t->series[i].image->pid),
				[COL_EXEC] = cell_number(t->series[i].image->exec_number),
				[COL_TIME] = cell_real(timeline_row_seconds(t, k)),
				[COL_LIVE] = cell_number(row->live.bytes),
				[COL_MOST] = cell_number(row->most_bytes),
				[COL_BLOCKS] = cell_number(row->live.blocks),
				[COL_MAPPED] = { .is_known = is_known, .number = row->mapped_bytes },
				[COL_BREAK] = { .is_known = is_known, .number = row->break_bytes },
				[COL_MALLOC_MAPPED] = { .is_known = is_known,
							.number = row->malloc_mapped_bytes },
				[COL_RSS] = { .is_known = row->has_rss, .number = row->rss_bytes },
				[COL_CALLS] = cell_number(row->calls),
				[COL_RATE] = cell_real((double)row->calls / step),
			};

			emit_row(table, cells);
		}
	}
	emit_free(table);
}

static void put_drawings(struct run *run)
{
	const struct timeline_state *s = run->state;
	const struct draw_style style = {
		.width = run->width, .is_utf8 = run->is_utf8, .color = run->color,
	};

	if (s->timeline.series_count == 0)
		fputs("nothing happened: there is nothing to draw\n", run->out);
	for (size_t i = 0; i < s->timeline.series_count; i++) {
		if (i > 0)
			putc('\n', run->out);
		run_put_image(run, s->timeline.series[i].image);
		timeline_draw(run->out, &s->timeline, &s->timeline.series[i], &style);
	}
}

static char *title_of(const struct run *run)
{
	const struct timeline_state *s = run->state;
	const struct timeline *t = &s->timeline;

	if (s->title)
		return xstrdup(s->title);
	if (t->series_count == 1)
		return image_command(t->series[0].image);
	return xstrdup(run->recording->command ? run->recording->command : "");
}

static int write_data(const struct timeline *t, const char *path, struct diag *d)
{
	struct out out;

	if (out_open(&out, path, NULL, d) != 0)
		return -1;
	timeline_put_data(out.file, t);
	return out_close(&out, true, d);
}

static int write_script(const struct timeline *t, const char *path,
			const struct plot_style *style, struct diag *d)
{
	struct out out;

	if (out_open(&out, path, NULL, d) != 0)
		return -1;
	timeline_put_script(out.file, t, style);
	return out_close(&out, true, d);
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* STEM.dat and STEM.gp; the script draws STEM.png. The names in STYLE are set here. */
static int write_both(struct run *run, const char *stem, struct plot_style *style)
{
	const struct timeline_state *s = run->state;
	char *data = xasprintf("%s.dat", stem), *script = xasprintf("%s.gp", stem);
	char *picture = xasprintf("%s.%s", base_of(stem),
				  strcmp(style->terminal, "svg") == 0 ? "svg" : "png");
	int result;

	style->data = base_of(data);
	style->output = picture;
	result = write_data(&s->timeline, data, run->diag);
	if (result == 0)
		result = write_script(&s->timeline, script, style, run->diag);
	free(data);
	free(script);
	free(picture);
	return result;
}

static int write_folder(struct run *run, struct plot_style *style)
{
	const char *folder = run->out_path ? run->out_path : ".";
	char *stem;
	int result;

	if (mkdir(folder, 0777) != 0 && errno != EEXIST)
		return diag_errno(run->diag, STATUS_IO, "cannot make the folder '%s'", folder);
	stem = xasprintf("%s/timeline", folder);
	result = write_both(run, stem, style);
	free(stem);
	return result;
}

/* Where gnuplot is missing: what it would have read is kept beside the picture. */
static int keep_for_later(struct run *run, struct plot_style *style)
{
	char *stem = xstrdup(run->out_path ? run->out_path : "timeline");
	char *dot = strrchr(stem, '.');

	if (dot && dot > base_of(stem))
		*dot = '\0';
	if (write_both(run, stem, style) == 0)
		diag_set(run->diag, STATUS_IO,
			 "cannot draw: gnuplot is not installed (apt install gnuplot-nox); its data is in "
			 "'%s.dat', its script in '%s.gp'", stem, stem);
	free(stem);
	return -1;
}

/* Copy what gnuplot printed to the report. */
static void copy(FILE *from, FILE *to)
{
	char buffer[65536];
	size_t bytes;

	while ((bytes = fread(buffer, 1, sizeof(buffer), from)) > 0)
		fwrite(buffer, 1, bytes, to);
}

static int draw(struct run *run, struct plot_style *style)
{
	const struct timeline_state *s = run->state;
	char folder[] = "/tmp/allotrope-timeline-XXXXXX";
	char *data, *script, *command;
	FILE *picture;
	int result = -1, status;

	if (!mkdtemp(folder))
		return diag_errno(run->diag, STATUS_IO, "cannot make a folder in '/tmp'");
	data = xasprintf("%s/timeline.dat", folder);
	script = xasprintf("%s/timeline.gp", folder);
	command = xasprintf("command -v gnuplot >/dev/null || exit 127; exec gnuplot '%s'", script);
	style->data = data;
	if (write_data(&s->timeline, data, run->diag) != 0 ||
	    write_script(&s->timeline, script, style, run->diag) != 0)
		goto done;
	fflush(run->out);
	picture = popen(command, "re");
	if (!picture) {
		diag_errno(run->diag, STATUS_IO, "cannot start gnuplot");
		goto done;
	}
	copy(picture, run->out);
	status = pclose(picture);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		result = keep_for_later(run, style);
	else if (status != 0)
		diag_set(run->diag, STATUS_IO, "gnuplot could not draw the picture (status %d): "
			 "--format=gnuplot writes its data and script", WEXITSTATUS(status));
	else
		result = 0;
done:
	unlink(data);
	unlink(script);
	rmdir(folder);
	free(data);
	free(script);
	free(command);
	return result;
}

static int timeline_end(struct run *run)
{
	struct timeline_state *s = run->state;
	struct plot_style style = {
		.terminal = run->own_format == &formats[FORMAT_SVG] ? "svg" : "pngcairo",
		.width = s->width ? s->width : 1200,
		.height = s->height ? s->height : 1000,
		.is_log = s->is_log,
		.is_estimate = recording_sampling(run->recording) > 0,
	};
	char *title;
	int result;

	for (size_t i = 0; i < run->recording->sample_count; i++)
		if (run_shows(run, run->recording->samples[i].image))
			timeline_add_image(&s->timeline, run->recording->samples[i].image);
	timeline_finish(&s->timeline);
	if (s->timeline.series_count == 0 && run->own_format)
		return diag_set(run->diag, STATUS_IO, "nothing to draw: nothing happened in %s",
				run->has_window ? "this window" : "this recording");
	note_syscalls(run);
	if (is_drawing(run)) {
		put_drawings(run);
		return 0;
	}
	if (!run->own_format) {
		put_table(run);
		return 0;
	}
	style.title = title = title_of(run);
	result = run->own_format == &formats[FORMAT_GNUPLOT] ? write_folder(run, &style) :
							       draw(run, &style);
	free(title);
	return result;
}

static void timeline_done(struct run *run)
{
	struct timeline_state *s = run->state;

	timeline_release(&s->timeline);
}

static void parse_size(struct argp_state *state, struct timeline_state *s, const char *arg)
{
	char rest;

	if (sscanf(arg, "%ux%u%c", &s->width, &s->height, &rest) != 2 || s->width < 200 ||
	    s->height < 200 || s->width > 20000 || s->height > 20000)
		form_usage_error(state, "--size takes the pixels of the picture, as 1200x1000 "
				 "(200 to 20000 each), not '%s'", arg);
}

static void parse_points(struct argp_state *state, struct timeline_state *s, const char *arg)
{
	char *end;
	unsigned long points = strtoul(arg, &end, 10);

	if (*arg < '0' || *arg > '9' || *end || points < 10 || points > POINTS_MAX)
		form_usage_error(state, "--points takes a number of rows from 10 to %d, not '%s'",
				 POINTS_MAX, arg);
	s->points = points;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const struct form_input *input = state->input;
	struct timeline_state *s = input->state;

	switch (key) {
	case 'n':
		parse_points(state, s, arg);
		return 0;
	case 's':
		parse_size(state, s, arg);
		return 0;
	case 'T':
		s->title = arg;
		return 0;
	case 'l':
		s->is_log = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "points", 'n', "N", 0, "Rows of data, evenly apart (1000); in text as many as columns", 0 },
	{ "size", 's', "WxH", 0, "Pixels of the picture (1200x1000)", 0 },
	{ "title", 'T', "TEXT", 0, "Title of the picture (the command line)", 0 },
	{ "log", 'l', NULL, 0, "Draw bytes on a logarithmic axis", 0 },
	{ 0 },
};

static const struct argp argp = { .options = options, .parser = parse };

const struct form form_timeline = {
	.name = "timeline",
	.summary = "memory over time: a drawing, a picture, data for gnuplot",
	.needs = NEED_EVENTS | NEED_ALL | NEED_REGIONS,
	.options = &argp,
	.doc = "What was live on the heap, mapped, and resident, the program break, and the heap calls "
	       "in a second. With --all one curve for each program.",
	.columns = columns,
	.column_count = COL_COUNT,
	.formats = formats,
	.knows_outside = true,
	.state_size = sizeof(struct timeline_state),
	.begin = timeline_begin,
	.watch = timeline_watch,
	.end = timeline_end,
	.release = timeline_done,
};
