/*
 * check.c - the report `check`: a gate for CI. Limits of the command line and the figures of a
 * baseline against those of the recording; exit status 1 where one does not hold, or where the
 * recording is not complete. Writes baselines.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/out.h"
#include "base/units.h"
#include "base/xmem.h"
#include "forms/check_judge.h"
#include "forms/check_measure.h"
#include "forms/check_report.h"
#include "forms/form.h"

#define BASELINE_DEFAULT "allotrope.baseline"
#define PERCENT_DEFAULT 2.0

struct check_state {
	struct check_limit *limits;
	size_t limit_count, limit_capacity;
	char **patterns;              /* of --max-in */
	size_t pattern_count, pattern_capacity;
	const char *baseline_path;    /* NULL: none */
	const char *write_path;       /* NULL: none */
	struct check_tolerance tolerances[FIGURE_COUNT];
	struct baseline old, measured;
	struct check_result result;
	struct frame_tree *tree;
};

/* ---- judging ---- */

static int check_begin(struct run *run)
{
	struct check_state *s = run->state;

	for (size_t i = 0; i < s->limit_count; i++)
		if (s->limits[i].figure == FIGURE_COUNT && s->limits[i].metric == METRIC_TEMPORARY &&
		    recording_sampling(run->recording))
			return diag_set(run->diag, STATUS_USAGE,
					"which blocks are temporary is not known: 'record' without --sample");
	if (s->baseline_path)
		return baseline_read(&s->old, s->baseline_path, run->diag);
	return 0;
}

static void judge_limits(struct run *run)
{
	struct check_state *s = run->state;

	for (size_t i = 0; i < s->measured.count; i++) {
		const struct baseline_program *p = &s->measured.programs[i];

		for (size_t j = 0; j < s->limit_count; j++) {
			const struct check_limit *l = &s->limits[j];
			bool is_found = true;
			uint64_t actual = l->figure != FIGURE_COUNT ? p->figures[l->figure] :
					  check_function(run, s->tree, p->name, l->function, l->metric,
							 &is_found);

			/* with several programs one may well not have it */
			if (!is_found && s->measured.count == 1)
				run_note(run, "no call stack of %s has a function '%s': is it spelled so?",
					 p->name, l->function);
			check_judge_limit(p, l, actual, &s->result);
		}
	}
}

/* Names of the programs of B, for messages; a new string. */
static char *program_names(const struct baseline *b)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	for (size_t i = 0; i < b->count && i < 5; i++)
		fprintf(out, "%s'%s'", i ? ", " : "", b->programs[i].name);
	if (b->count > 5)
		fprintf(out, " and %zu more", b->count - 5);
	fclose(out);
	return text;
}

static int no_common_program(struct run *run)
{
	const struct check_state *s = run->state;
	char *old = program_names(&s->old), *now = program_names(&s->measured);

	diag_set(run->diag, STATUS_USAGE, "'%s', line %u: a baseline of another program: of %s, the "
		 "recording is of %s", s->baseline_path, s->old.programs[0].line, old,
		 s->measured.count ? now : "none");
	free(old);
	free(now);
	return -1;
}

/* Names are looked up only where they are said: in a baseline, and for a peak that is too large. */
static bool needs_sites(const struct check_state *s)
{
	const struct check_tolerance *tolerance = &s->tolerances[FIGURE_PEAK_BYTES];

	for (size_t i = 0; i < s->measured.count; i++) {
		const struct baseline_program *p = &s->measured.programs[i];
		const struct baseline_program *old = baseline_find(&s->old, p->name);

		if (old && p->figures[FIGURE_PEAK_BYTES] >
			   check_allowed(tolerance, old->figures[FIGURE_PEAK_BYTES]))
			return true;
	}
	return s->write_path;
}

static int judge_baseline(struct run *run)
{
	struct check_state *s = run->state;
	size_t common = 0, better = 0;

	if (s->old.is_all != s->measured.is_all)
		return diag_set(run->diag, STATUS_USAGE, "'%s', line %u: written with%s --all: check it so, "
				"or write it anew", s->baseline_path, s->old.programs[0].line,
				s->old.is_all ? "" : "out");
	for (size_t i = 0; i < s->measured.count; i++) {
		const struct baseline_program *p = &s->measured.programs[i];
		const struct baseline_program *old = baseline_find(&s->old, p->name);

		if (!old) {
			run_note(run, "%s is not in the baseline: nothing to compare it with", p->name);
			continue;
		}
		common++;
		check_judge_baseline(p, old, s->baseline_path, s->tolerances, &s->result, &better);
	}
	if (common == 0)
		return no_common_program(run);
	for (size_t i = 0; i < s->old.count && run->is_all; i++)
		if (!baseline_find(&s->measured, s->old.programs[i].name))
			run_note(run, "%s of the baseline did not run", s->old.programs[i].name);
	if (s->old.sampling_bytes != s->measured.sampling_bytes)
		run_note(run, "the baseline was recorded with --sample=%" PRIu64 ", this with %" PRIu64
			 " (0: every block): estimates differ from exact figures",
			 s->old.sampling_bytes, s->measured.sampling_bytes);
	if (better > 0 && s->result.failed == 0)
		run_note(run, "%zu figure%s better than the baseline by more than the tolerance: "
			 "--write-baseline keeps that", better, better == 1 ? " is" : "s are");
	return 0;
}

static int write_baseline(struct run *run)
{
	const struct check_state *s = run->state;
	struct out out;

	if (out_open(&out, s->write_path, NULL, run->diag) != 0)
		return -1;
	baseline_print(&s->measured, out.file);
	return out_close(&out, true, run->diag);
}

static bool is_complete(const struct check_result *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (!r->verdicts[i].is_ok && strcmp(r->verdicts[i].check, "complete") == 0)
			return false;
	return true;
}

static int keep(struct run *run)
{
	const struct check_state *s = run->state;

	if (!s->write_path)
		return 0;
	if (!is_complete(&s->result)) {
		run_note(run, "no baseline was written: the recording is not complete");
		return 0;
	}
	if (write_baseline(run) != 0)
		return -1;
	if (run->format == EMIT_TEXT && !run->own_format) {
		fprintf(run->out, "written: %s, %zu program%s\n", s->write_path, s->measured.count,
			s->measured.count == 1 ? "" : "s");
	}
	return 0;
}

static void note_others(struct run *run)
{
	size_t others = 0;

	for (size_t i = 0; i < run->recording->image_count; i++)
		others += run->recording->images[i].segment_count > 0;
	if (run->is_default && others > 1)
		run_note(run, "%zu other program%s of the recording %s not judged: --all judges each",
			 others - 1, others == 2 ? "" : "s", others == 2 ? "was" : "were");
}

static int check_end(struct run *run)
{
	struct check_state *s = run->state;

	s->tree = frame_tree_new(run->resolver, run->wrappers, run->stacks);
	check_measure(run, &s->measured);
	if (needs_sites(s))
		check_measure_sites(run, s->tree, &s->measured);
	if (s->measured.count == 0)
		return diag_set(run->diag, STATUS_USAGE, "nothing to check: the recording has no program");
	check_judge_recording(run, &s->result);
	judge_limits(run);
	if (s->baseline_path && judge_baseline(run) != 0)
		return -1;
	note_others(run);
	if (s->result.failed)
		run->status = STATUS_CONDITION;
	if (run->own_format)
		check_report_junit(run, &s->result);
	else if (run->format == EMIT_TEXT)
		check_report_text(run, &s->result, &s->measured, s->baseline_path);
	if (keep(run) != 0)
		return -1;
	if (run->format == EMIT_JSON)
		check_report_json(run, &s->result, &s->measured);
	return 0;
}

static void check_release(struct run *run)
{
	struct check_state *s = run->state;

	frame_tree_free(s->tree);
	check_result_release(&s->result);
	baseline_release(&s->old);
	baseline_release(&s->measured);
	for (size_t i = 0; i < s->pattern_count; i++)
		free(s->patterns[i]);
	free(s->patterns);
	free(s->limits);
}

/* ---- options ---- */

enum {
	KEY_MAX_PEAK = 0x200, KEY_MAX_END, KEY_MAX_BLOCKS, KEY_MAX_IN, KEY_BASELINE, KEY_TOLERANCE, KEY_WRITE,
};

static struct check_limit *add_limit(struct check_state *s, const char *option, enum figure figure)
{
	xgrow(&s->limits, &s->limit_capacity, s->limit_count, sizeof(*s->limits));
	s->limits[s->limit_count] = (struct check_limit){ .option = option, .figure = figure };
	return &s->limits[s->limit_count++];
}

static uint64_t parse_count(const struct argp_state *state, const char *option, const char *text)
{
	char *end;
	unsigned long long n = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9' || *end)
		form_usage_error(state, "%s takes a number of blocks, not '%s'", option, text);
	return n;
}

static uint64_t parse_bytes(const struct argp_state *state, const char *option, const char *text)
{
	uint64_t bytes;

	if (units_parse_bytes(text, &bytes) != 0)
		form_usage_error(state, "%s takes a size, as 4096, 10K or 1.5M, not '%s'", option, text);
	return bytes;
}

/* [METRIC:]FUNCTION=LIMIT; a name may have "::" and "=" in it ("operator=="). */
static void parse_in(const struct argp_state *state, struct check_state *s, const char *text)
{
	struct check_limit *l = add_limit(s, "--max-in", FIGURE_COUNT);
	const char *equal = strrchr(text, '='), *colon = strchr(text, ':');
	char *pattern;

	l->metric = METRIC_PEAK;
	if (colon && colon[1] != ':') {
		char *word = xstrndup(text, (size_t)(colon - text));

		if (metric_parse(word, &l->metric))
			text = colon + 1;
		free(word);
	}
	if (!equal || equal <= text)
		form_usage_error(state, "--max-in takes FUNCTION=BYTES or METRIC:FUNCTION=LIMIT "
				 "(%s), not '%s'", metric_words(), text);
	pattern = xstrndup(text, (size_t)(equal - text));
	xgrow(&s->patterns, &s->pattern_capacity, s->pattern_count, sizeof(*s->patterns));
	s->patterns[s->pattern_count++] = pattern;
	l->function = pattern;
	l->limit = metric_is_blocks(l->metric) ? parse_count(state, "--max-in", equal + 1) :
		   parse_bytes(state, "--max-in", equal + 1);
}

/* "2%", "64K", or "1000". */
static bool parse_amount(const char *text, size_t bytes, struct check_tolerance *t)
{
	char *word = xstrndup(text, bytes), *end;
	bool is_good;

	*t = (struct check_tolerance){ .is_percent = bytes > 0 && text[bytes - 1] == '%' };
	if (t->is_percent) {
		t->percent = strtod(word, &end);
		is_good = *word >= '0' && *word <= '9' && strcmp(end, "%") == 0 && t->percent <= 1e6;
	} else {
		is_good = units_parse_bytes(word, &t->amount) == 0;
	}
	free(word);
	return is_good;
}

static void parse_tolerance(const struct argp_state *state, struct check_state *s, const char *text)
{
	for (const char *p = text; ; ) {
		size_t bytes = strcspn(p, ",");
		const char *equal = memchr(p, '=', bytes);
		size_t key = equal ? (size_t)(equal - p) + 1 : 0;
		enum figure f = equal ? figure_find(p, key - 1) : FIGURE_COUNT;
		struct check_tolerance t;

		if ((equal && f == FIGURE_COUNT) || !parse_amount(p + key, bytes - key, &t))
			form_usage_error(state, "--tolerance takes 2%%, 64K or FIGURE=2%%, separated by "
					 "commas; FIGURE is peak_bytes, peak_blocks, end_bytes, end_blocks, "
					 "blocks, bytes or mapped_peak_bytes; not '%s'", text);
		for (int i = 0; i < FIGURE_COUNT; i++)
			if (!equal || i == (int)f)
				s->tolerances[i] = t;
		if (!p[bytes])
			return;
		p += bytes + 1;
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const struct form_input *input = state->input;
	struct check_state *s = input->state;

	switch (key) {
	case ARGP_KEY_INIT:
		for (int i = 0; i < FIGURE_COUNT; i++)
			s->tolerances[i] = (struct check_tolerance){ true, PERCENT_DEFAULT, 0 };
		return 0;
	case KEY_MAX_PEAK:
		add_limit(s, "--max-peak", FIGURE_PEAK_BYTES)->limit = parse_bytes(state, "--max-peak", arg);
		return 0;
	case KEY_MAX_END:
		add_limit(s, "--max-end", FIGURE_END_BYTES)->limit = parse_bytes(state, "--max-end", arg);
		return 0;
	case KEY_MAX_BLOCKS:
		add_limit(s, "--max-blocks", FIGURE_BLOCKS)->limit = parse_count(state, "--max-blocks", arg);
		return 0;
	case KEY_MAX_IN:
		parse_in(state, s, arg);
		return 0;
	case KEY_BASELINE:
		s->baseline_path = arg;
		return 0;
	case KEY_TOLERANCE:
		parse_tolerance(state, s, arg);
		return 0;
	case KEY_WRITE:
		s->write_path = arg ? arg : BASELINE_DEFAULT;
		return 0;
	case ARGP_KEY_END:
		if (s->limit_count == 0 && !s->baseline_path && !s->write_path)
			form_usage_error(state, "nothing to check against: give --max-peak=BYTES, "
					 "--max-end=BYTES, --max-blocks=N, --max-in=FUNCTION=BYTES or "
					 "--baseline=FILE (--write-baseline makes one)");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "max-peak", KEY_MAX_PEAK, "BYTES", 0, "At most so many bytes live at the peak of the heap", 0 },
	{ "max-end", KEY_MAX_END, "BYTES", 0, "At most so many bytes live at the end", 0 },
	{ "max-blocks", KEY_MAX_BLOCKS, "N", 0, "At most so many blocks allocated in all", 0 },
	{ "max-in", KEY_MAX_IN, "[METRIC:]FUNCTION=LIMIT", 0,
	  "At most so much by call stacks with FUNCTION (a pattern) in them: bytes at the peak, or "
	  "METRIC: peak, total, count, end, temporary; can be given several times", 0 },
	{ "baseline", KEY_BASELINE, "FILE", 0,
	  "No figure may be larger than in FILE, beyond the tolerance", 0 },
	{ "tolerance", KEY_TOLERANCE, "[FIGURE=]N%[,...]", 0,
	  "How much larger than in the baseline (default 2%): per cent, bytes (64K) or blocks; of one "
	  "figure by its name, as end_bytes=0", 0 },
	{ "write-baseline", KEY_WRITE, "FILE", OPTION_ARG_OPTIONAL,
	  "Write the figures of this recording to FILE (default " BASELINE_DEFAULT ")", 0 },
	{ 0 },
};

static const struct argp argp = { .options = options, .parser = parse };

static const struct form_format formats[] = {
	{ .name = "junit", .help = "test results as Jenkins, GitLab and others read them" },
	{ 0 },
};

const struct form form_check = {
	.name = "check",
	.summary = "a gate for CI: limits and a baseline; exit status 1 where one fails",
	.needs = NEED_HEAP | NEED_SYMBOLS | NEED_PEAK | NEED_REGIONS,
	.options = &argp,
	.doc = "Compares the recording with limits and with figures kept from an earlier one. Exit status: 0 "
	       "all hold, 1 one does not (each reason in a line), 2 or 3 it could not be checked. Events "
	       "lost and damage fail: figures would be too small.",
	.formats = formats,
	.without = WITHOUT_CSV,
	.has_json_notes = true,
	.state_size = sizeof(struct check_state),
	.begin = check_begin,
	.end = check_end,
	.release = check_release,
};
