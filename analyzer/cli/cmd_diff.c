/*
 * cmd_diff.c - `allotrope diff`: two recordings, or two moments of one. The command line is read by
 * diff_request.h, each side as a report reads it (reading.h); the reports are in forms/diff*.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/out.h"
#include "base/wrap.h"
#include "base/xmem.h"
#include "cli/command.h"
#include "cli/diff_request.h"
#include "cli/reading.h"
#include "cli/report_output.h"
#include "forms/diff.h"
#include "forms/health.h"

/* Call stacks and sizes shown in text without --top. */
#define ROWS_SHOWN 20

/* ---- both sides ---- */

struct comparison {
	struct reading sides[DIFF_SIDES];
	struct form form;            /* what a side needs */
	struct diff diff;
	struct out out;
};

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

	rd->options = diff_request_side(rq, side);
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

	if (recording_is_outside(old->recording) || recording_is_outside(new->recording))
		result = diag_set(new->diag, STATUS_USAGE, "the calls of '%s' are not known: it was made "
				  "from outside (record --no-preload), and there is nothing to compare; "
				  "'allotrope maps' and 'timeline' show what the kernel told",
				  rq->files[recording_is_outside(old->recording) ? DIFF_OLD : DIFF_NEW]);
	else if (is_other_name && c->diff.match->common_own == 0)
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
	struct diff_request rq;
	struct comparison *c;
	int status;

	if (diff_request_parse(&rq, argc, argv) != 0)
		return STATUS_USAGE;
	c = xcalloc(1, sizeof(*c));
	status = compare(c, &rq);
	diff_match_free(c->diff.match);
	reading_release(&c->sides[DIFF_OLD]);
	reading_release(&c->sides[DIFF_NEW]);
	free(c);
	diff_request_release(&rq);
	return status;
}

const struct command command_diff = {
	"diff", "what changed between two recordings, or two moments of one", run,
};
