/*
 * form_options.c - argp tables of the shared options. Values that can be judged
 * without the recording are judged here.
 */
#include "cli/form_options.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"
#include "cli/command.h"
#include "cli/debuginfod_option.h"
#include "cli/input_file.h"

enum {
	KEY_FORMAT = 0x100, KEY_SORT, KEY_PID, KEY_SINCE, KEY_UNTIL, KEY_AT,
};

struct parsing {
	const struct form *form;
	struct form_options *options;
	struct form_input input;
};

static const struct argp_option common[] = {
	{ NULL, 0, NULL, 0, "Options of all reports:", 2 },
	{ "output", 'o', "FILE", 0, "Write to FILE; '-' is standard output", 0 },
	{ "format", KEY_FORMAT, "FORMAT", 0, "text (default), csv or json", 0 }, /* --help: filter_help */
	{ "top", OPTION_TOP, "N", 0, "Show the first N rows; 0: all", 0 },
	{ "sort", KEY_SORT, "COL[,COL]", 0, "Order of the rows; -COL turns it round", 0 },
	{ "pid", KEY_PID, "PID[:EXEC]", 0, "Show this process (and only its program number EXEC)", 0 },
	{ "all", OPTION_ALL, NULL, 0, "Show all programs of the recording", 0 },
	{ "since", KEY_SINCE, "MOMENT", 0,
	  "Count from MOMENT on: a time since the start (1.5s, 200ms), mark:NAME, start, peak, end", 0 },
	{ "until", KEY_UNTIL, "MOMENT", 0, "Count up to MOMENT", 0 },
	{ "at", KEY_AT, "MOMENT", 0, "Show the state at MOMENT", 0 },
	{ "wrappers", OPTION_WRAPPERS, "LIST", 0,
	  "More functions to leave out of call stacks as wrappers of the allocator: patterns "
	  "separated by commas; none: leave out nothing", 0 },
	{ "no-demangle", OPTION_NO_DEMANGLE, NULL, 0, "Show C++ and Rust names as the linker has them", 0 },
	{ "short-names", OPTION_SHORT_NAMES, NULL, 0, "Leave out parameters, template arguments and "
	  "return types of C++ and Rust functions", 0 },
	{ "debuginfod", OPTION_DEBUGINFOD, "URLS", OPTION_ARG_OPTIONAL, DEBUGINFOD_HELP, 0 },
	{ "no-pager", OPTION_NO_PAGER, NULL, 0, "Do not page on a terminal", 0 },
	{ "color", OPTION_COLOR, "WHEN", 0, "auto (default), always or never", 0 },
	{ 0 },
};

uint64_t option_number(struct argp_state *state, const char *option, const char *text,
		       uint64_t limit)
{
	char *end;
	unsigned long long n = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n > limit)
		command_usage_error(state, "%s takes a number, not '%s'", option, text);
	return n;
}

void option_pid(struct argp_state *state, struct form_options *o, char *text)
{
	char *colon = strchr(text, ':');

	o->exec_number = -1;
	if (colon) {
		*colon = '\0';
		o->exec_number = (int64_t)option_number(state, "--pid=PID:EXEC", colon + 1,
						       UINT32_MAX);
	}
	o->pid = (uint32_t)option_number(state, "--pid", text, UINT32_MAX);
	o->has_pid = true;
}

static const char *const emit_names[] = { "text", "csv", "json", NULL };

/* "text (default), csv, json or massif": the formats of FORM; the caller's. */
static char *format_list(const struct form *form, const char *after_first)
{
	const char *names[16];
	size_t count = 0, bytes;
	char *text = NULL;
	FILE *out;

	if (form->without & WITHOUT_TEXT)
		for (const struct form_format *f = form->formats; f->name && count < 12; f++)
			names[count++] = f->name;
	for (size_t i = 0; emit_names[i]; i++)
		if (!(form->without & 1u << i))
			names[count++] = emit_names[i];
	if (form->formats && !(form->without & WITHOUT_TEXT))
		for (const struct form_format *f = form->formats; f->name && count < 12; f++)
			names[count++] = f->name;
	out = open_memstream(&text, &bytes);
	if (!out)
		return xstrdup("");
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s%s%s", i == 0 ? "" : i + 1 < count ? ", " : " or ", names[i],
			i == 0 ? after_first : "");
	fclose(out);
	return text;
}

static void parse_format(struct argp_state *state, const struct form *form,
			 struct form_options *o, const char *text)
{
	char *list;

	o->format = EMIT_TEXT;
	o->own_format = NULL;
	for (const struct form_format *f = form->formats; f && f->name; f++) {
		if (strcmp(f->name, text) == 0) {
			o->own_format = f;
			return;
		}
	}
	for (size_t i = 0; emit_names[i]; i++) {
		if (strcmp(emit_names[i], text) == 0 && !(form->without & 1u << i)) {
			o->format = (enum emit_format)i;
			return;
		}
	}
	list = format_list(form, "");
	command_usage_error(state, "--format is %s, not '%s'", list, text);
}

size_t option_word(struct argp_state *state, const char *option, const char *text,
		   const char *const *words)
{
	char list[64] = "";

	for (size_t i = 0; words[i]; i++) {
		if (strcmp(words[i], text) == 0)
			return i;
		strcat(strcat(list, i ? (words[i + 1] ? ", " : " or ") : ""), words[i]);
	}
	command_usage_error(state, "%s is %s, not '%s'", option, list, text);
}

error_t option_shared(struct argp_state *state, struct form_options *o, int key, char *text)
{
	static const char *const colors[] = { "auto", "always", "never", NULL };

	switch (key) {
	case 'o':
		if (!*text)
			command_usage_error(state, "--output needs the name of a file");
		o->out_path = text;
		return 0;
	case OPTION_TOP:
		o->top = (size_t)option_number(state, "--top", text, SIZE_MAX);
		o->has_top = true;
		return 0;
	case OPTION_ALL:
		o->is_all = true;
		return 0;
	case OPTION_WRAPPERS:
		o->wrappers = text;
		return 0;
	case OPTION_NO_DEMANGLE:
		o->no_demangle = true;
		return 0;
	case OPTION_SHORT_NAMES:
		o->short_names = true;
		return 0;
	case OPTION_DEBUGINFOD:
		o->debuginfod = option_debuginfod(state, text);
		return 0;
	case OPTION_NO_PAGER:
		o->no_pager = true;
		return 0;
	case OPTION_COLOR:
		o->color = (enum color_choice)option_word(state, "--color", text, colors);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void usage_error(const struct argp_state *state, const char *text)
	__attribute__((noreturn));

static void usage_error(const struct argp_state *state, const char *text)
{
	command_usage_error(state, "%s", text);
}

/* Of a living process there is no recording, of which these choose a part. */
static void check_live(struct argp_state *state, const struct parsing *p)
{
	const struct form_options *o = p->options;
	const struct { bool is_given; const char *name; } of_recordings[] = {
		{ o->has_file, o->file }, { o->at, "--at" }, { o->since, "--since" },
		{ o->until, "--until" }, { o->is_all, "--all" }, { o->has_pid, "--pid" },
	};

	if (!p->form->is_live || !p->form->is_live(p->input.state))
		return;
	for (size_t i = 0; i < sizeof(of_recordings) / sizeof(of_recordings[0]); i++)
		if (of_recordings[i].is_given)
			command_usage_error(state, "what to do with '%s'? A living process is shown as it "
					    "is now, and no recording is read: leave one of the two out",
					    of_recordings[i].name);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct parsing *p = state->input;
	struct form_options *o = p->options;

	switch (key) {
	case ARGP_KEY_INIT:
		if (p->form->options)
			state->child_inputs[0] = &p->input;
		return 0;
	case KEY_FORMAT:
		parse_format(state, p->form, o, arg);
		return 0;
	case KEY_SORT:
		if (!p->form->default_sort)
			command_usage_error(state, "this report has an order of its own: leave --sort out");
		o->sort = arg;
		return 0;
	case KEY_PID:
		option_pid(state, o, arg);
		return 0;
	case KEY_SINCE:
		o->since = arg;
		return 0;
	case KEY_UNTIL:
		o->until = arg;
		return 0;
	case KEY_AT:
		if (!p->form->takes_at)
			command_usage_error(state, "this report shows no single moment: "
					    "--since and --until choose what it covers");
		o->at = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 0)
			command_usage_error(state, "one recording at a time: what is '%s'?", arg);
		o->file = arg;
		o->has_file = true;
		return 0;
	case ARGP_KEY_END:
		check_live(state, p);
		if (p->form->has_moments_only && (o->since || o->until))
			command_usage_error(state, "this report shows single moments, not a span: "
					    "--at chooses one");
		if (o->is_all && o->has_pid)
			command_usage_error(state, "--all and --pid exclude each other");
		if (o->at && (o->since || o->until))
			command_usage_error(state, "--at is one moment, --since and --until a span: "
					    "one or the other");
		return 0;
	default:
		return option_shared(state, o, key, arg);
	}
}

/* --help of FORM: its formats by name, and what each of its own is read by. */
static char *filter_help(int key, const char *text, void *input)
{
	const struct parsing *p = input;
	char *list, *help, *more;

	if (key != KEY_FORMAT || !p)
		return (char *)text;
	list = format_list(p->form, " (default)");
	help = xstrdup(list);
	free(list);
	for (const struct form_format *f = p->form->formats; f && f->name; f++) {
		more = xasprintf("%s; %s: %s", help, f->name, f->help);
		free(help);
		help = more;
	}
	return help;
}

void form_options_parse(const struct form *form, int argc, char **argv,
			struct form_options *options, void *state)
{
	const struct argp_child children[] = {
		{ form->options, 0, "Options of this report:", 1 },
		{ 0 },
	};
	char *doc = xasprintf("%s%s%s\vThe recording is allotrope.data unless FILE is named.",
			      form->summary, form->doc ? "\n\n" : "",
			      form->doc ? form->doc : "");
	struct argp_option offered[sizeof(common) / sizeof(common[0])];
	const struct argp argp = {
		.options = offered,
		.parser = parse,
		.args_doc = "[FILE]",
		.doc = doc,
		.children = form->options ? children : NULL,
		.help_filter = filter_help,
	};
	struct parsing p = { form, options, { state, usage_error } };

	memcpy(offered, common, sizeof(common));
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		if (offered[i].key == KEY_AT && !form->takes_at)
			offered[i].flags |= OPTION_HIDDEN; /* still parsed, to say why not */
	memset(options, 0, sizeof(*options));
	options->file = INPUT_DEFAULT;
	options->exec_number = -1;
	options->own_format = form->without & WITHOUT_TEXT ? form->formats : NULL;
	command_parse(&argp, argc, argv, 0, &p);
	free(doc);
}
