/*
 * cmd_diff.c - `allotrope diff`: two recordings, or two moments of one. Each side is read as
 * a report reads it (reading.h); the reports are in forms/diff*.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/out.h"
#include "base/wrap.h"
#include "base/xmem.h"
#include "cli/command.h"
#include "cli/debuginfod_option.h"
#include "cli/form_options.h"
#include "cli/input_file.h"
#include "cli/reading.h"
#include "cli/report_output.h"
#include "forms/diff.h"
#include "forms/health.h"

#define OLD_SUFFIX ".old"
/* Call stacks and sizes shown in text without --top. */
#define ROWS_SHOWN 20

enum report { REPORT_SUMMARY, REPORT_SITES, REPORT_SIZES, REPORT_FLAME };

static const char *const report_words[] = { "summary", "sites", "sizes", "flame", NULL };

struct diff_request {
	enum report report;
	const char *files[DIFF_SIDES];
	size_t file_count;
	char *old_file;              /* made up: FILE.old */
	const char *from, *to, *at;
	struct form_options options; /* what both sides have alike */
	struct form_options pids[DIFF_SIDES];
	size_t pid_count;
	enum metric metric;
	bool has_metric;
	uint32_t depth;
	bool has_depth;
	const char *format;
	bool exit_code;
	bool is_svg;                 /* of flame */
};

enum {
	KEY_FORM = 0x100, KEY_FORMAT, KEY_METRIC, KEY_SORT, KEY_PID, KEY_FROM, KEY_TO, KEY_AT,
	KEY_EXIT_CODE,
};

static const struct argp_option diff_options[] = {
	{ "form", KEY_FORM, "FORM", 0, "What is compared: summary (default), sites, sizes or flame "
	  "(a picture, or folded call stacks with both figures)", 0 },
	{ "from", KEY_FROM, "MOMENT", 0, "Compare two moments of one recording: what is live at "
	  "--to and was not at MOMENT (1.5s, 200ms, mark:NAME, start, peak, end)", 0 },
	{ "to", KEY_TO, "MOMENT", 0, "The second moment; without it the end", 0 },
	{ "at", KEY_AT, "MOMENT", 0, "Compare the states of both recordings at MOMENT", 0 },
	{ "metric", KEY_METRIC, "METRIC", 0, "The figure of each call stack that is compared: peak "
	  "(default), total, count, end (default with --from) or temporary", 0 },
	{ "depth", 'd', "N", 0, "Compare the N innermost frames only; 0: whole call stacks "
	  "(default; text then shows the first 6 frames)", 0 },
	{ "exit-code", KEY_EXIT_CODE, NULL, 0, "Exit with 1 where there is a difference", 0 },
	{ "output", 'o', "FILE", 0, "Write to FILE; '-' is standard output", 0 },
	{ "format", KEY_FORMAT, "FORMAT", 0, "text (default), csv or json; of flame folded "
	  "(default) or svg (red: grown, blue: shrunk; the default for FILE.svg)", 0 },
	{ "top", OPTION_TOP, "N", 0, "Show the first N rows; 0: all", 0 },
	{ "sort", KEY_SORT, "COL[,COL]", 0, "Order of the rows (default: the largest change in "
	  "either direction first); -COL turns it round", 0 },
	{ "pid", KEY_PID, "OLD,NEW", 0, "Compare these processes (each PID or PID:EXEC); one PID "
	  "with --from", 0 },
	{ "all", OPTION_ALL, NULL, 0, "Compare all programs of each recording, added up", 0 },
	{ "wrappers", OPTION_WRAPPERS, "LIST", 0, "More functions to leave out of call stacks; none: "
	  "leave out nothing", 0 },
	{ "no-demangle", OPTION_NO_DEMANGLE, NULL, 0, "Show C++ and Rust names as the linker has them", 0 },
	{ "short-names", OPTION_SHORT_NAMES, NULL, 0, "Leave out parameters, template arguments and "
	  "return types", 0 },
	{ "debuginfod", OPTION_DEBUGINFOD, "URLS", OPTION_ARG_OPTIONAL, DEBUGINFOD_HELP, 0 },
	{ "no-pager", OPTION_NO_PAGER, NULL, 0, "Do not page on a terminal", 0 },
	{ "color", OPTION_COLOR, "WHEN", 0, "auto (default), always or never", 0 },
	{ 0 },
};

/* "12,40:1" or "12" into the pids of both sides. */
static void parse_pids(struct argp_state *state, struct diff_request *rq, char *text)
{
	char *comma = strchr(text, ',');

	if (comma)
		*comma = '\0';
	rq->pid_count = comma ? 2 : 1;
	option_pid(state, &rq->pids[DIFF_OLD], text);
	rq->pids[DIFF_NEW] = rq->pids[DIFF_OLD];
	if (comma)
		option_pid(state, &rq->pids[DIFF_NEW], comma + 1);
}

/* What only the whole command line shows. */
static void check_request(struct argp_state *state, struct diff_request *rq)
{
	bool is_moments = rq->from || rq->to;

	if (is_moments && rq->file_count > 1)
		command_usage_error(state, "--from and --to are moments of one recording: what is "
				    "'%s'?", rq->files[1]);
	if (is_moments && rq->at)
		command_usage_error(state, "--at is a moment of both recordings, --from and --to are two "
				    "of one: one or the other");
	if (rq->options.is_all && rq->pid_count)
		command_usage_error(state, "--all and --pid exclude each other");
	if (rq->pid_count == 1 && !is_moments)
		command_usage_error(state, "--pid of two recordings is --pid=OLD,NEW");
	if (rq->pid_count == 2 && is_moments)
		command_usage_error(state, "--pid of one recording is one process");
	if (!rq->has_metric)
		rq->metric = is_moments ? METRIC_END : rq->report == REPORT_SIZES ? METRIC_TOTAL :
			     METRIC_PEAK;
	if (rq->report == REPORT_SIZES && (rq->metric == METRIC_PEAK || rq->metric == METRIC_TEMPORARY))
		command_usage_error(state, "--metric of sizes is total, count or end, not '%s'",
				    metric_name(rq->metric));
}

static void parse_format(struct argp_state *state, struct diff_request *rq)
{
	static const char *const emitted[] = { "text", "csv", "json", NULL };
	static const char *const flame[] = { "folded", "svg", NULL };
	const char *path = rq->options.out_path;
	size_t bytes = path ? strlen(path) : 0;

	if (!rq->format && rq->report == REPORT_FLAME)
		rq->is_svg = bytes > 4 && strcmp(path + bytes - 4, ".svg") == 0;
	if (!rq->format)
		return;
	if (rq->report == REPORT_FLAME)
		rq->is_svg = option_word(state, "--format of flame", rq->format, flame) == 1;
	else
		rq->options.format = (enum emit_format)option_word(state, "--format", rq->format, emitted);
}

/* A word that is a report and no file was meant as one. */
static void check_word(struct argp_state *state, const char *word)
{
	for (size_t i = 0; report_words[i]; i++)
		if (strcmp(word, report_words[i]) == 0 && access(word, F_OK) != 0)
			command_usage_error(state, "there is no recording '%s': a report is chosen "
					    "with --form=%s", word, word);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct diff_request *rq = state->input;

	switch (key) {
	case KEY_FORM:
		rq->report = (enum report)option_word(state, "--form", arg, report_words);
		return 0;
	case KEY_FROM:
		rq->from = arg;
		return 0;
	case KEY_TO:
		rq->to = arg;
		return 0;
	case KEY_AT:
		rq->at = arg;
		return 0;
	case KEY_METRIC:
		if (!metric_parse(arg, &rq->metric))
			command_usage_error(state, "--metric is %s, not '%s'", metric_words(), arg);
		rq->has_metric = true;
		return 0;
	case 'd':
		rq->depth = (uint32_t)option_number(state, "--depth", arg, DEPTH_MAX);
		rq->has_depth = true;
		return 0;
	case KEY_EXIT_CODE:
		rq->exit_code = true;
		return 0;
	case KEY_FORMAT:
		rq->format = arg;
		return 0;
	case KEY_SORT:
		rq->options.sort = arg;
		return 0;
	case KEY_PID:
		parse_pids(state, rq, arg);
		return 0;
	case ARGP_KEY_ARG:
		check_word(state, arg);
		if (rq->file_count == DIFF_SIDES)
			command_usage_error(state, "two recordings at a time: what is '%s'?", arg);
		rq->files[rq->file_count++] = arg;
		return 0;
	case ARGP_KEY_END:
		check_request(state, rq);
		parse_format(state, rq);
		return 0;
	default:
		return option_shared(state, &rq->options, key, arg);
	}
}

/* ---- both sides ---- */

struct comparison {
	struct reading sides[DIFF_SIDES];
	struct form form;            /* what a side needs */
	struct diff diff;
	struct out out;
};

/* The files, as `git diff` and `perf diff` take them: the older one first. */
static void choose_files(struct diff_request *rq)
{
	const char *file = rq->file_count ? rq->files[0] : INPUT_DEFAULT;

	if (rq->file_count == 2)
		return;
	rq->files[DIFF_NEW] = file;
	if (rq->from || rq->to) {
		rq->files[DIFF_OLD] = file;
		return;
	}
	rq->old_file = xasprintf("%s" OLD_SUFFIX, file);
	rq->files[DIFF_OLD] = rq->old_file;
}

static struct form_options side_options(const struct diff_request *rq, int side)
{
	struct form_options o = rq->options;

	o.file = rq->files[side];
	o.sort = NULL;
	o.at = rq->at;
	o.exec_number = -1;
	if (rq->from || rq->to)
		o.at = side == DIFF_NEW ? rq->to ? rq->to : "end" : rq->from ? rq->from : "start";
	if (rq->pid_count) {
		o.has_pid = true;
		o.pid = rq->pids[side].pid;
		o.exec_number = rq->pids[side].exec_number;
	}
	return o;
}

/* The message of a side that fails: which one, where that is not plain. */
static int fail(struct comparison *c, int side, const struct diff_request *rq)
{
	struct diag *d = &c->sides[side].diag;

	if (side == DIFF_OLD && rq->old_file && access(rq->old_file, F_OK) != 0) {
		diag_print(NULL, "there is no '%s' to compare with: record twice to the same file, or "
			   "name two recordings", rq->old_file);
		return STATUS_IO;
	}
	diag_print(NULL, "%s", d->text);
	if (d->status == STATUS_USAGE)
		fputs("Try 'allotrope diff --help'.\n", stderr);
	return d->status;
}

static int read_side(struct comparison *c, const struct diff_request *rq, int side)
{
	struct reading *rd = &c->sides[side];

	rd->options = side_options(rq, side);
	if (reading_open(rd, &c->form) != 0 || reading_prepare(rd) != 0)
		return -1;
	reading_begin(rd);
	return reading_replay(rd);
}

/* Why these two are compared with care, or not at all. Returns 0, or -1 with the new side's diag set. */
static int check_sides(struct comparison *c, const struct diff_request *rq, bool is_other_name)
{
	struct run *old = &c->sides[DIFF_OLD].run, *new = &c->sides[DIFF_NEW].run;
	uint64_t old_mean = recording_sampling(old->recording);
	uint64_t new_mean = recording_sampling(new->recording);
	char *names[DIFF_SIDES] = { diff_program(&c->diff, DIFF_OLD), diff_program(&c->diff, DIFF_NEW) };
	int result = 0;

	if (is_other_name && c->diff.match->common_own == 0)
		result = diag_set(new->diag, STATUS_USAGE, "no common program: '%s' has %s, '%s' has %s; "
				  "choose what to compare with --pid=OLD,NEW", rq->files[DIFF_OLD],
				  names[DIFF_OLD], rq->files[DIFF_NEW], names[DIFF_NEW]);
	else if (is_other_name)
		run_note(new, "programs of different names, %s and %s, are compared by the functions they "
			 "have in common", names[DIFF_OLD], names[DIFF_NEW]);
	if (result == 0 && rq->metric == METRIC_TEMPORARY && (old_mean || new_mean))
		result = diag_set(new->diag, STATUS_USAGE, "temporary blocks are not known where only a "
				  "sample was recorded: record without --sample");
	if ((old_mean != 0) != (new_mean != 0))
		run_note(new, "only the %s side is a sample (record --sample): differences of heap figures "
			 "are estimates", old_mean ? "old" : "new");
	free(names[DIFF_OLD]);
	free(names[DIFF_NEW]);
	return result;
}

/* ---- notes ---- */

/* The notes of both sides: which side a note is about, where it is not about both. */
static json_t *collect_notes(struct comparison *c)
{
	struct health *sides[DIFF_SIDES];
	json_t *notes = json_array();

	for (int i = 0; i < DIFF_SIDES; i++)
		sides[i] = health_new(&c->sides[i].run);
	for (int i = 0; i < DIFF_SIDES; i++) {
		for (size_t k = 0; k < sides[i]->count; k++) {
			const char *text = sides[i]->notes[k];
			bool is_common = false;
			bool is_own = k < c->sides[i].run.note_count;
			char *line;

			for (size_t n = 0; n < sides[!i]->count; n++)
				is_common = is_common || strcmp(sides[!i]->notes[n], text) == 0;
			if (is_common && i == DIFF_NEW)
				continue;
			line = is_common || is_own || c->diff.is_moments ? xstrdup(text) :
			       xasprintf("%s: %s", i == DIFF_OLD ? "old" : "new", text);
			json_array_append_new(notes, json_string(line));
			free(line);
		}
	}
	health_free(sides[DIFF_OLD]);
	health_free(sides[DIFF_NEW]);
	return notes;
}

static void put_notes(struct comparison *c, const json_t *notes, bool on_error)
{
	if (!on_error && json_array_size(notes) > 0)
		putc('\n', c->diff.out);
	for (size_t i = 0; i < json_array_size(notes); i++) {
		const char *text = json_string_value(json_array_get(notes, i));

		if (on_error) {
			diag_print("note", "%s", text);
			continue;
		}
		fputs("note: ", c->diff.out);
		wrap_put(c->diff.out, text, 6, 6, c->diff.width);
	}
}

/* ---- the report ---- */

static void init_diff(struct comparison *c, const struct diff_request *rq)
{
	struct diff *d = &c->diff;

	d->metric = rq->metric;
	d->is_whole = rq->options.is_all;
	d->is_moments = rq->from || rq->to;
	d->format = rq->options.format;
	d->sort = rq->options.sort;
	d->has_depth = rq->has_depth;
	d->top = rq->options.top;
	if (!rq->options.has_top && rq->options.format == EMIT_TEXT && rq->report != REPORT_SUMMARY)
		d->top = ROWS_SHOWN;
	for (int side = 0; side < DIFF_SIDES; side++) {
		d->sides[side].run = &c->sides[side].run;
		d->moments[side] = c->sides[side].options.at;
	}
}

static int open_output(struct comparison *c, const struct diff_request *rq)
{
	struct run *run = &c->sides[DIFF_NEW].run;
	struct diff *d = &c->diff;

	if (report_output_open(&c->out, run, &rq->options) != 0)
		return -1;
	d->out = c->out.file;
	d->color = run->color;
	d->width = run->width;
	return 0;
}

/* 1: they differ, 0: they do not, -1: the new side's diag says why not. */
static int put_report(struct comparison *c, const struct diff_request *rq)
{
	struct diff *d = &c->diff;
	bool on_error = rq->options.format != EMIT_TEXT || rq->report == REPORT_FLAME;
	bool holds_notes = rq->is_svg ||
			   (rq->options.format == EMIT_JSON && rq->report == REPORT_SUMMARY);
	int result;

	d->notes = collect_notes(c);
	result = rq->report == REPORT_SITES ? diff_put_sites(d) :
		 rq->report == REPORT_SIZES ? diff_put_sizes(d) :
		 rq->report == REPORT_SUMMARY ? diff_put_summary(d) :
		 rq->is_svg ? diff_put_picture(d) : diff_put_folded(d);
	if (result >= 0 && !holds_notes)
		put_notes(c, d->notes, on_error);
	json_decref(d->notes);
	return result;
}

static int compare(struct comparison *c, const struct diff_request *rq)
{
	const bool fixed[DIFF_SIDES] = {
		rq->options.is_all || rq->pid_count, rq->options.is_all || rq->pid_count,
	};
	struct reading *new = &c->sides[DIFF_NEW];
	struct diag closing = { 0 };
	bool is_other_name;
	int result;

	c->form = (struct form){
		.name = "diff",
		.needs = NEED_HEAP | NEED_SYMBOLS | NEED_REGIONS,
		.takes_at = true,
	};
	if (rq->report == REPORT_SIZES)
		c->form.needs |= rq->metric == METRIC_END ? NEED_BLOCKS : NEED_SIZES;
	for (int side = 0; side < DIFF_SIDES; side++)
		if (read_side(c, rq, side) != 0)
			return fail(c, side, rq);
	init_diff(c, rq);
	if (c->diff.is_moments && c->sides[DIFF_OLD].run.at_stamp > new->run.at_stamp) {
		diag_set(&new->diag, STATUS_USAGE, "--from=%s is later than --to=%s",
			 c->sides[DIFF_OLD].options.at, new->options.at);
		return fail(c, DIFF_NEW, rq);
	}
	is_other_name = diff_choose_images(&c->diff, fixed) != 0;
	c->diff.match = diff_match_new(c->diff.sides, rq->depth);
	if (check_sides(c, rq, is_other_name) != 0 ||
	    (rq->report == REPORT_SIZES ? diff_sizes_check : diff_sites_check)(&c->diff) != 0 ||
	    open_output(c, rq) != 0)
		return fail(c, DIFF_NEW, rq);
	result = put_report(c, rq);
	if (out_close(&c->out, result >= 0, &closing) != 0 && result >= 0) {
		new->diag = closing;
		result = -1;
	}
	if (result < 0)
		return fail(c, DIFF_NEW, rq);
	return result > 0 && rq->exit_code ? STATUS_CONDITION : STATUS_OK;
}

static int run(int argc, char **argv)
{
	static const struct argp argp = {
		diff_options, parse, "[OLD NEW]",
		"Compare two recordings, or two moments of one.\v"
		"Without names allotrope.data.old and allotrope.data are compared (record keeps the last "
		"recording under that name), with one name FILE.old and FILE. Call stacks are alike where "
		"their functions and objects are: addresses, files and lines do not count, so that two "
		"builds compare.",
		NULL, NULL, NULL,
	};
	struct diff_request rq = { .report = REPORT_SUMMARY };
	struct comparison *c;
	int status;

	if (command_parse(&argp, argc, argv, 0, &rq) != 0)
		return STATUS_USAGE;
	choose_files(&rq);
	c = xcalloc(1, sizeof(*c));
	status = compare(c, &rq);
	diff_match_free(c->diff.match);
	reading_release(&c->sides[DIFF_OLD]);
	reading_release(&c->sides[DIFF_NEW]);
	free(c);
	free(rq.old_file);
	return status;
}

const struct command command_diff = {
	"diff", "what changed between two recordings, or two moments of one", run,
};
