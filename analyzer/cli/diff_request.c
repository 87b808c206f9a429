/*
 * diff_request.c - see diff_request.h.
 */
#include "cli/diff_request.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xmem.h"
#include "cli/command.h"
#include "cli/debuginfod_option.h"
#include "cli/input_file.h"

#define OLD_SUFFIX ".old"

static const char *const report_words[] = { "summary", "sites", "sizes", "flame", NULL };

enum {
	KEY_FORM = 0x100, KEY_FORMAT, KEY_METRIC, KEY_SORT, KEY_PID, KEY_FROM, KEY_TO, KEY_AT,
	KEY_EXIT_CODE,
};

static const struct argp_option options[] = {
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
		rq->report = (enum diff_report)option_word(state, "--form", arg, report_words);
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

struct form_options diff_request_side(const struct diff_request *rq, int side)
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

int diff_request_parse(struct diff_request *rq, int argc, char **argv)
{
	static const struct argp argp = {
		options, parse, "[OLD NEW]",
		"Compare two recordings, or two moments of one.\v"
		"Without names allotrope.data.old and allotrope.data are compared (record keeps the last "
		"recording under that name), with one name FILE.old and FILE. Call stacks are alike where "
		"their functions and objects are: addresses, files and lines do not count, so that two "
		"builds compare.",
		NULL, NULL, NULL,
	};

	int error;

	memset(rq, 0, sizeof(*rq));
	error = command_parse(&argp, argc, argv, 0, rq);
	if (error == 0)
		choose_files(rq);
	return error;
}

void diff_request_release(struct diff_request *rq)
{
	free(rq->old_file);
}
