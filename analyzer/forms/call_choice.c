/*
 * call_choice.c - see call_choice.h. The words of the options are those of metric.h and of
 * the column `kind` of all tables.
 */
#include "forms/call_choice.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "base/xmem.h"

enum { KEY_METRIC = 0x200, KEY_KIND, KEY_BY };

void call_choice_init(struct argp_state *state, struct call_choice_input *input,
		      struct call_choice *choice, bool by_line)
{
	*choice = (struct call_choice){ .kinds = { [KIND_HEAP] = true }, .by_line = by_line };
	input->form = *(const struct form_input *)state->input;
	input->choice = choice;
	state->child_inputs[0] = input;
}

static void parse_kind(const struct argp_state *state, struct call_choice *c, const char *arg)
{
	bool is_all = strcmp(arg, "all") == 0;

	c->kinds[KIND_HEAP] = is_all || strcmp(arg, "heap") == 0;
	c->kinds[KIND_MAPPING] = is_all || strcmp(arg, "mapping") == 0;
	if (!c->kinds[KIND_HEAP] && !c->kinds[KIND_MAPPING])
		form_usage_error(state, "--kind is heap, mapping or all, not '%s'", arg);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const struct call_choice_input *input = state->input;
	struct call_choice *c = input->choice;

	switch (key) {
	case KEY_METRIC:
		if (!metric_parse(arg, &c->metric))
			form_usage_error(state, "--metric is %s, not '%s'", metric_words(), arg);
		c->has_metric = true;
		return 0;
	case KEY_KIND:
		parse_kind(state, c, arg);
		return 0;
	case KEY_BY:
		if (strcmp(arg, "line") != 0 && strcmp(arg, "function") != 0)
			form_usage_error(state, "--by is function or line, not '%s'", arg);
		c->by_line = strcmp(arg, "line") == 0;
		return 0;
	case ARGP_KEY_END:
		if (c->has_metric && c->metric == METRIC_TEMPORARY && !c->kinds[KIND_HEAP])
			form_usage_error(state, "--metric=temporary is of the heap only: "
					 "a mapping is never temporary");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "metric", KEY_METRIC, "WORD", 0,
	  "peak (default): bytes live at the peak; total: bytes allocated in all; count: blocks "
	  "allocated in all; end: bytes live at the end (default with --at: live at that moment); "
	  "temporary: blocks freed before the thread's next allocation", 0 },
	{ "kind", KEY_KIND, "KIND", 0,
	  "heap (default): blocks of the allocator; mapping: memory that the program mapped itself; "
	  "all: both, side by side", 0 },
	{ "by", KEY_BY, "WHAT", 0,
	  "What one frame is: a function, or a line of one", 0 },
	{ 0 },
};

const struct argp call_choice_argp = { .options = options, .parser = parse };

int call_choice_settle(struct call_choice *c, struct run *run)
{
	if (!c->has_metric)
		c->metric = run->has_at ? METRIC_END : METRIC_PEAK;
	if (c->metric == METRIC_TEMPORARY && recording_sampling(run->recording))
		return diag_set(run->diag, STATUS_USAGE, "which blocks were temporary is not known of "
				"a sample: record without --sample");
	return 0;
}

static bool has_stack(const struct run *run, const struct site *site)
{
	const struct stack_node *node;

	if (site->stack == STACK_NONE)
		return false;
	node = stacks_node(run->stacks, site->stack);
	return node->type != FRAME_SPECIAL || node->value != SPECIAL_NO_STACK;
}

int call_choice_check_stacks(struct run *run)
{
	size_t sites = 0;

	for (size_t i = 0; i < run->heap_count; i++) {
		const struct heap *h = run->heaps[i];

		for (size_t s = 0; s < h->site_count; s++)
			if (has_stack(run, &h->sites[s]))
				return 0;
		sites += h->site_count;
	}
	if (sites == 0)
		return 0;
	return diag_set(run->diag, STATUS_USAGE, "the recording has no call stacks: record without "
			"--call-graph=no");
}

/* ", from 1.2 s to 3.4 s" in a window, else "". */
static char *window_text(const struct run *run)
{
	const struct recording *r = run->recording;
	int64_t since = recording_ns(r, run->since_stamp), until;
	char from[UNITS_MAX], to[UNITS_MAX];

	if (!run->has_window)
		return xstrdup("");
	units_ns(from, run->since_stamp && since > 0 ? (uint64_t)since : 0);
	if (run->until_stamp == UINT64_MAX)
		return xasprintf(", from %s on", from);
	until = recording_ns(r, run->until_stamp);
	return xasprintf(", from %s to %s", from, units_ns(to, until > 0 ? (uint64_t)until : 0));
}

char *call_choice_text(const struct call_choice *c, const struct run *run, bool is_sum)
{
	const char *kind = !c->kinds[KIND_MAPPING] ? "" :
			   c->kinds[KIND_HEAP] ? "heap and mappings: " : "mappings: ";
	const char *each = is_sum && c->metric == METRIC_PEAK ? " of each" : "";
	char *window = window_text(run);
	char *text;

	if (run->has_at && c->metric == METRIC_END)
		text = xasprintf("%sbytes live at %s%s", kind, run->at_text, window);
	else
		text = xasprintf("%s%s%s%s%s%s", kind, metric_help(c->metric), each,
				 run->has_at ? ", up to " : "", run->has_at ? run->at_text : "", window);
	free(window);
	return text;
}

char *call_choice_amount(const struct call_choice *c, struct amount amount)
{
	char blocks[UNITS_MAX], bytes[UNITS_MAX];

	units_count(blocks, amount.blocks);
	units_bytes(bytes, amount.bytes);
	if (metric_is_blocks(c->metric))
		return xasprintf("%s block%s, %s", blocks, amount.blocks == 1 ? "" : "s", bytes);
	return xasprintf("%s in %s block%s", bytes, blocks, amount.blocks == 1 ? "" : "s");
}

void call_choice_note(const struct call_choice *c, struct run *run)
{
	struct amount heap = { 0, 0 }, mapped = { 0, 0 };
	char bytes[UNITS_MAX];

	if (c->kinds[KIND_MAPPING] || c->metric == METRIC_TEMPORARY || c->metric == METRIC_COUNT)
		return;
	for (size_t i = 0; i < run->heap_count; i++) {
		const struct heap *h = run->heaps[i];

		for (size_t s = 0; s < h->site_count; s++) {
			uint64_t value = metric_value(&h->sites[s], c->metric);

			*(h->sites[s].kind == KIND_HEAP ? &heap.bytes : &mapped.bytes) += value;
		}
	}
	if (mapped.bytes > heap.bytes)
		run_note(run, "the program mapped %s itself, more than is shown here of the heap: "
			 "--kind=all shows both", units_bytes(bytes, mapped.bytes));
}
