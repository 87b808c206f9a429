/*
 * tree.c - the report `tree`: what call stacks allocated as a tree of calls, top-down or
 * bottom-up. Promises that the figures of what stands under a line, and of what it says is
 * left out, add up to the line's own.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/term.h"
#include "base/units.h"
#include "base/xmem.h"
#include "forms/call_choice.h"
#include "forms/form.h"
#include "forms/tree_data.h"
#include "forms/tree_text.h"

enum { KEY_CALLERS = 0x300, KEY_BOTTOM_UP, KEY_THRESHOLD };

struct tree_state {
	struct call_choice choice;
	struct call_choice_input choice_input;
	bool is_bottom_up;
	bool has_threshold;
	double threshold;       /* per cent */
	uint32_t depth;
	struct frame_tree *frames;
	struct tree_data *data;
	bool is_cut;            /* something was deeper than --depth */
};

static int tree_begin(struct run *run)
{
	struct tree_state *s = run->state;

	/* programs are given all that they do not ask to be left out */
	if (!s->has_threshold)
		s->threshold = run->format == EMIT_TEXT ? 1 : 0;
	return call_choice_settle(&s->choice, run);
}

/* The least value that is not below the threshold. */
static uint64_t least_of(const struct tree_state *s, uint64_t total)
{
	double least = ceil((double)total * s->threshold / 100);

	return units_whole(least);
}

/* Is anything of T deeper than what is shown? */
static bool is_deeper(const struct call_tree *t, uint32_t depth)
{
	if (depth == 0)
		return false;
	for (uint32_t node = 1; node < call_tree_count(t); node++) {
		const struct call_node *n = call_tree_node(t, node);

		if (n->depth == depth && (n->count > 0 || n->has_more))
			return true;
	}
	return false;
}

static void put_text(const struct run *run, const struct tree_state *s, const struct call_tree *t,
		     const struct tree_limits *limits, const struct call_choice *shown)
{
	struct tree_style style = {
		.is_bottom_up = s->is_bottom_up,
		.by_line = s->choice.by_line,
		.metric = s->choice.metric,
		.threshold = s->threshold,
	};
	struct amount total = call_tree_total(t);
	char *what = call_choice_text(shown, run, false), *amount = call_choice_amount(shown, total);
	bool is_empty = metric_of(total, s->choice.metric) == 0;

	fprintf(run->out, "%s%s: %s%s\n", term_style(run->color, STYLE_HEAD), what,
		is_empty ? "nothing" : amount, term_plain(run->color));
	if (!is_empty) {
		putc('\n', run->out);
		tree_text_put(run, t, limits, &style);
	}
	free(what);
	free(amount);
}

/* One tree: KIND of HEAP. */
static void put_tree(struct run *run, struct tree_state *s, const struct heap *heap,
		    enum alloc_kind kind)
{
	struct call_tree_options options = { s->choice.metric, s->is_bottom_up, s->choice.by_line };
	struct call_tree *t = call_tree_new(s->frames, &options);
	struct tree_limits limits = { .depth = s->depth, .top = run->top };
	struct tree_label label = { heap->image, kind, s->choice.metric, s->is_bottom_up,
				    s->choice.by_line };
	struct call_choice shown = s->choice;

	for (enum alloc_kind k = 0; k < KIND_COUNT; k++)
		shown.kinds[k] = k == kind;
	call_tree_add(t, 0, heap, kind);
	limits.least = least_of(s, metric_of(call_tree_total(t), s->choice.metric));
	call_tree_build(t, limits.least, s->depth);
	if (s->data)
		tree_data_put(s->data, t, &limits, &label);
	else
		put_text(run, s, t, &limits, &shown);
	s->is_cut |= is_deeper(t, s->depth);
	call_tree_free(t);
}

static void put_heap(struct run *run, struct tree_state *s, const struct heap *heap)
{
	bool is_first = true;

	if (!s->data)
		run_put_image(run, heap->image);
	for (enum alloc_kind kind = 0; kind < KIND_COUNT; kind++) {
		if (!s->choice.kinds[kind] ||
		    (kind == KIND_MAPPING && s->choice.metric == METRIC_TEMPORARY))
			continue;
		if (!s->data && !is_first)
			putc('\n', run->out);
		is_first = false;
		put_tree(run, s, heap, kind);
	}
}

static int tree_end(struct run *run)
{
	struct tree_state *s = run->state;

	if (call_choice_check_stacks(run) != 0)
		return -1;
	s->frames = frame_tree_new(run->resolver, run->wrappers, run->stacks);
	if (run->format != EMIT_TEXT)
		s->data = tree_data_new(run);
	for (size_t i = 0; i < run->heap_count; i++) {
		if (i > 0 && !s->data)
			putc('\n', run->out);
		put_heap(run, s, run->heaps[i]);
	}
	if (s->data)
		tree_data_free(s->data);
	s->data = NULL;
	if (s->is_cut)
		run_note(run, "calls deeper than %u are in the figures of those above them: --depth=0 "
			 "shows all", s->depth);
	call_choice_note(&s->choice, run);
	return 0;
}

static void tree_release(struct run *run)
{
	struct tree_state *s = run->state;

	frame_tree_free(s->frames);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const struct form_input *input = state->input;
	struct tree_state *s = input->state;
	char *end;

	switch (key) {
	case ARGP_KEY_INIT:
		call_choice_init(state, &s->choice_input, &s->choice, true);
		return 0;
	case KEY_CALLERS:
	case KEY_BOTTOM_UP:
		s->is_bottom_up = true;
		return 0;
	case KEY_THRESHOLD:
		s->threshold = strtod(arg, &end);
		if (*arg < '0' || *arg > '9' || (*end && strcmp(end, "%") != 0) ||
		    !(s->threshold >= 0 && s->threshold <= 100))
			form_usage_error(state, "--threshold takes per cent from 0 to 100, not '%s'", arg);
		s->has_threshold = true;
		return 0;
	case 'd':
		s->depth = form_depth(state, arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "callers", KEY_CALLERS, NULL, 0,
	  "Begin with the allocation sites, and show their callers under them", 0 },
	{ "bottom-up", KEY_BOTTOM_UP, NULL, OPTION_ALIAS, NULL, 0 },
	{ "threshold", KEY_THRESHOLD, "PERCENT", 0,
	  "Add up what is smaller into one line (default 1 in text, 0 in csv and json)", 0 },
	{ "depth", 'd', "N", 0, "Show calls down to the Nth level; 0: all (default)", 0 },
	{ 0 },
};

static const struct argp_child children[] = { { &call_choice_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = { .options = options, .parser = parse, .children = children };

const struct form form_tree = {
	.name = "tree",
	.summary = "the tree of calls: what each call allocated, and all that it called",
	.needs = NEED_HEAP | NEED_SYMBOLS | NEED_PEAK | NEED_REGIONS,
	.options = &argp,
	.doc = "Bytes and blocks of each call with all that it called, top-down from the outermost "
	       "function; with --callers bottom-up from the allocation sites. --top=N shows the N "
	       "largest calls under each.",
	.takes_at = true,
	.state_size = sizeof(struct tree_state),
	.begin = tree_begin,
	.end = tree_end,
	.release = tree_release,
};
