/*
 * cmd_info.c - allotrope info: what a recording is and how healthy. Options, and the order of
 * the work; info_text.c and info_json.c print.
 */
#include <argp.h>
#include <string.h>

#include "base/diag.h"
#include "cli/command.h"
#include "cli/info_events.h"
#include "cli/info_json.h"
#include "cli/info_text.h"
#include "cli/input_file.h"

struct info_request {
	const char *file;
	bool json, headers_only;
};

static const struct argp_option info_options[] = {
	{ "format", 'F', "FORMAT", 0, "text (default) or json", 0 },
	{ "quick", 'Q', NULL, 0, "Do not read the events: nothing is said of unmatched frees and "
	  "unexplained memory", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct info_request *rq = state->input;

	switch (key) {
	case 'F':
		if (strcmp(arg, "json") != 0 && strcmp(arg, "text") != 0)
			command_usage_error(state, "--format='%s' is unknown: choose text or json",
					    arg);
		rq->json = strcmp(arg, "json") == 0;
		return 0;
	case 'Q':
		rq->headers_only = true;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			command_usage_error(state, "too many arguments: '%s'", arg);
		rq->file = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int run(int argc, char **argv)
{
	static const struct argp argp = {
		info_options, parse_option, "[FILE]",
		"Show what the recording FILE (default allotrope.data) is, and what is missing in it.",
		NULL, NULL, NULL,
	};
	struct info_request rq = { .file = INPUT_DEFAULT };
	struct diag d = { 0 };
	struct info_events *e;

	if (command_parse(&argp, argc, argv, 0, &rq) != 0)
		return STATUS_USAGE;
	e = info_events_new(rq.file, rq.headers_only, &d);
	if (!e) {
		diag_print("", "%s", d.text);
		return d.status;
	}
	if (rq.json)
		info_json(e);
	else
		info_text(e);
	info_events_free(e);
	return STATUS_OK;
}

const struct command command_info = {
	"info", "what a recording holds, and whether anything is missing", run,
};
