/*
 * flame.c - the report `flame`: what call stacks allocated as a flame graph, drawn (svg) or
 * for other viewers (folded, speedscope). Promises that the figures of a file add up to
 * those of `summary` for the same metric.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xmem.h"
#include "forms/call_choice.h"
#include "forms/flame_folded.h"
#include "forms/flame_picture.h"
#include "forms/flame_speedscope.h"
#include "forms/form.h"
#include "forms/health.h"

enum { KEY_INVERTED = 0x300, KEY_ICICLE, KEY_TITLE, KEY_WIDTH, KEY_MIN };

struct flame_state {
	struct call_choice choice;
	struct call_choice_input choice_input;
	bool is_inverted, is_icicle;
	const char *title;
	int width;
	double min;
	uint32_t depth;
	struct frame_tree *frames;
	struct flame_names *names;
	struct call_tree *tree;
};

/* The order of --format, in the table at the end. */
enum { FORMAT_SVG, FORMAT_FOLDED, FORMAT_SPEEDSCOPE };

static const struct form_format formats[] = {
	[FORMAT_SVG] = { "svg", "a picture for any browser, to zoom and search in", true },
	[FORMAT_FOLDED] = { "folded", "a line for each stack, for flamegraph.pl, inferno, speedscope, "
			    "Perfetto", false },
	[FORMAT_SPEEDSCOPE] = { "speedscope", "JSON for https://www.speedscope.app, a profile for each "
				"metric", false },
	{ NULL, NULL, false },
};

static int flame_begin(struct run *run)
{
	struct flame_state *s = run->state;

	if (run->top)
		return diag_set(run->diag, STATUS_USAGE, "a flame graph has no rows for --top: "
				"--min leaves out what is narrow");
	return call_choice_settle(&s->choice, run);
}

static struct call_tree *new_tree(const struct flame_state *s, enum metric metric)
{
	struct call_tree_options options = { metric, s->is_inverted, s->choice.by_line };

	return call_tree_new(s->frames, &options);
}

/* A root for each process, and under it one for each kind where both are shown. */
static void plant(const struct run *run, struct flame_state *s)
{
	bool is_long = run->heap_count > 1;

	for (size_t i = 0; i < run->heap_count; i++) {
		const struct heap *heap = run->heaps[i];
		uint32_t root = call_tree_root(s->tree, 0, flame_process(heap->image, is_long),
					       heap->image);

		for (enum alloc_kind kind = 0; kind < KIND_COUNT; kind++) {
			uint32_t under = root;

			if (!s->choice.kinds[kind])
				continue;
			if (s->choice.kinds[KIND_HEAP] && s->choice.kinds[KIND_MAPPING])
				under = call_tree_root(s->tree, root,
						       xstrdup(kind == KIND_HEAP ? "heap" : "mappings"),
						       heap->image);
			call_tree_add(s->tree, under, heap, kind);
		}
	}
}

/* The command line of IMAGE without the folder of its program; the caller's. */
static char *short_command(const struct image *image)
{
	char *command = image_command(image);
	size_t end = strcspn(command, " '"), start = end;

	while (start > 0 && command[start - 1] != '/')
		start--;
	if (start < end)
		memmove(command, command + start, strlen(command + start) + 1);
	return command;
}

/* "python3 x.py", or of several processes how many there are; the caller's. */
static char *command_of(const struct run *run)
{
	char *command, *text;

	if (run->heap_count == 0)
		return xstrdup("?");
	command = short_command(run->heaps[0]->image);
	if (run->heap_count == 1)
		return command;
	text = xasprintf("%s (%zu programs)", command, run->heap_count);
	free(command);
	return text;
}

static void put_picture(struct run *run, struct flame_state *s, const struct flame_layout *layout)
{
	struct health *health = health_new(run);
	struct flame_layout with_notes = *layout;

	with_notes.notes = (const char *const *)health->notes;
	with_notes.note_count = health->count;
	flame_picture_put(run, &s->choice, s->tree, s->names, &with_notes);
	health_free(health);
}

static void put_profile(struct run *run, struct flame_state *s, struct flame_speedscope *out,
			const struct heap *heap, enum alloc_kind kind, struct call_choice choice)
{
	struct call_tree *tree = new_tree(s, choice.metric);
	bool is_wanted = choice.metric == s->choice.metric;

	call_tree_add(tree, 0, heap, kind);
	if (call_tree_total(tree).blocks > 0 || is_wanted) {
		char *text, *process, *name;

		for (enum alloc_kind k = 0; k < KIND_COUNT; k++)
			choice.kinds[k] = k == kind;
		text = call_choice_text(&choice, run, false);
		process = flame_process(heap->image, run->heap_count > 1);
		name = xasprintf("%s, %s", process, text);
		call_tree_build(tree, 0, s->depth);
		flame_speedscope_add(out, name, tree, choice.metric, s->depth);
		free(name);
		free(process);
		free(text);
	}
	call_tree_free(tree);
}

/* A profile for each metric, process and kind; the one that was asked for is shown first. */
static void put_speedscope(struct run *run, struct flame_state *s, const char *title)
{
	struct flame_speedscope *out = flame_speedscope_new(run->out, s->names);
	size_t active = 0;

	for (size_t i = 0; i < run->heap_count; i++) {
		for (enum metric m = 0; m < METRIC_WORDS; m++) {
			struct call_choice choice = s->choice;

			choice.metric = m;
			if (m == METRIC_TEMPORARY && recording_sampling(run->recording))
				continue;
			if (i == 0 && m == s->choice.metric)
				active = flame_speedscope_count(out);
			for (enum alloc_kind kind = 0; kind < KIND_COUNT; kind++)
				if (s->choice.kinds[kind] &&
				    (kind == KIND_HEAP || m != METRIC_TEMPORARY))
					put_profile(run, s, out, run->heaps[i], kind, choice);
		}
	}
	flame_speedscope_end(out, title, active);
}

static int flame_end(struct run *run)
{
	struct flame_state *s = run->state;
	char *command;
	struct flame_layout layout = {
		.title = s->title,
		.width = s->width,
		.min = s->min,
		.depth = s->depth,
		.is_hanging = s->is_inverted || s->is_icicle,
	};
	bool is_svg = run->own_format == &formats[FORMAT_SVG];
	uint64_t total;

	if (call_choice_check_stacks(run) != 0)
		return -1;
	layout.command = command = command_of(run);
	s->frames = frame_tree_new(run->resolver, run->wrappers, run->stacks);
	s->names = flame_names_new(s->frames, s->choice.by_line);
	s->tree = new_tree(s, s->choice.metric);
	plant(run, s);
	total = metric_of(call_tree_total(s->tree), s->choice.metric);
	call_choice_note(&s->choice, run);
	call_tree_build(s->tree, is_svg ? flame_picture_least(&layout, total) : 0, s->depth);
	if (is_svg)
		put_picture(run, s, &layout);
	else if (run->own_format == &formats[FORMAT_FOLDED])
		flame_folded_put(run->out, s->tree, s->choice.metric, s->depth, s->names);
	else
		put_speedscope(run, s, s->title ? s->title : command);
	free(command);
	return 0;
}

static void flame_release(struct run *run)
{
	struct flame_state *s = run->state;

	flame_names_free(s->names);
	call_tree_free(s->tree);
	frame_tree_free(s->frames);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const struct form_input *input = state->input;
	struct flame_state *s = input->state;
	char *end;
	unsigned long width;

	switch (key) {
	case ARGP_KEY_INIT:
		call_choice_init(state, &s->choice_input, &s->choice, false);
		s->width = 1200;
		s->min = 0.1;
		return 0;
	case KEY_INVERTED:
		s->is_inverted = true;
		return 0;
	case KEY_ICICLE:
		s->is_icicle = true;
		return 0;
	case KEY_TITLE:
		s->title = arg;
		return 0;
	case KEY_WIDTH:
		width = strtoul(arg, &end, 10);
		if (*arg < '0' || *arg > '9' || *end || width < FLAME_WIDTH_MIN ||
		    width > FLAME_WIDTH_MAX)
			form_usage_error(state, "--width takes pixels from %d to %d, not '%s'",
					 FLAME_WIDTH_MIN, FLAME_WIDTH_MAX, arg);
		s->width = (int)width;
		return 0;
	case KEY_MIN:
		s->min = strtod(arg, &end);
		if (*arg < '0' || *arg > '9' || *end || !(s->min >= 0 && s->min <= 100))
			form_usage_error(state, "--min takes pixels from 0 to 100, not '%s'", arg);
		return 0;
	case 'd':
		s->depth = form_depth(state, arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "depth", 'd', "N", 0, "Cut stacks to their first N frames; 0: whole (default)", 0 },
	{ "inverted", KEY_INVERTED, NULL, 0,
	  "Turn the stacks round: allocation sites at the root, their callers beyond them; the "
	  "picture hangs from the top", 0 },
	{ "icicle", KEY_ICICLE, NULL, 0, "Let the picture hang from the top, outermost functions first", 0 },
	{ "title", KEY_TITLE, "TEXT", 0, "Headline of the picture; the command unless given", 0 },
	{ "width", KEY_WIDTH, "PIXELS", 0, "Width of the picture (default 1200)", 0 },
	{ "min", KEY_MIN, "PIXELS", 0, "Leave out of the picture what is narrower (default 0.1)", 0 },
	{ 0 },
};

static const struct argp_child children[] = { { &call_choice_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = { .options = options, .parser = parse, .children = children };

const struct form form_flame = {
	.name = "flame",
	.summary = "a flame graph of call stacks: SVG, folded lines, speedscope",
	.needs = NEED_HEAP | NEED_SYMBOLS | NEED_PEAK | NEED_REGIONS,
	.options = &argp,
	.doc = "Each box is a function, as wide as what it and the functions it called allocated; "
	       "write it with -o flame.svg and open that in a browser.",
	.formats = formats,
	.without = WITHOUT_TEXT | WITHOUT_CSV | WITHOUT_JSON,
	.takes_at = true,
	.state_size = sizeof(struct flame_state),
	.begin = flame_begin,
	.end = flame_end,
	.release = flame_release,
};
