/*
 * callgrind_file.c - the callgrind format, as callgrind_annotate and KCachegrind read
 * it (valgrind's manual, "Callgrind Format Specification"): a block for each function
 * with its own cost by line and the calls it makes. Names are written once, as
 * "(number) name", in three number spaces: objects, files, functions.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/visible.h"
#include "base/xmem.h"
#include "forms/callgrind_report.h"
#include "version.h"

struct name_entry {
	char *text;
	uint32_t number;
	UT_hash_handle hh;
};

struct writer {
	struct run *run;
	const struct callgrind_report *report;
	struct name_entry *objects, *files, *functions;
	size_t cost_count;
};

/* A word of `events:` and the long name that KCachegrind shows, by kind. */
static const struct { const char *word, *help[KIND_COUNT]; } events[COST_KINDS] = {
	[COST_BLOCKS] = { "Allocs", { "Blocks allocated", "Mappings made" } },
	[COST_BYTES] = { "Bytes", { "Bytes allocated", "Bytes mapped" } },
	[COST_PEAK] = { "PeakBytes", { "Bytes live at the heap's peak",
				       "Bytes mapped at the peak of the mappings" } },
	[COST_END] = { "EndBytes", { "Bytes live at the end", "Bytes mapped at the end" } },
	[COST_TIME] = { "AllocTime", { "Time in the allocator, ns", NULL } },
};

#define OUTERMOST "(called from outside)"

/* "=(3) name" the first time, "=(3)" later, and a line end. TEXT NULL: unknown. */
static void put_name(struct writer *w, struct name_entry **table, const char *key, const char *text)
{
	FILE *out = w->run->out;
	struct name_entry *entry;
	char *shown;

	if (!text || !*text)
		text = "???";
	HASH_FIND_STR(*table, text, entry);
	if (entry) {
		fprintf(out, "%s=(%" PRIu32 ")\n", key, entry->number);
		return;
	}
	entry = xcalloc(1, sizeof(*entry));
	entry->text = xstrdup(text);
	entry->number = HASH_COUNT(*table) + 1;
	HASH_ADD_KEYPTR(hh, *table, entry->text, strlen(entry->text), entry);
	shown = visible_text(text);
	fprintf(out, "%s=(%" PRIu32 ") %s\n", key, entry->number, shown);
	free(shown);
}

static void names_free(struct name_entry **table)
{
	struct name_entry *entry, *next;

	HASH_ITER(hh, *table, entry, next) {
		HASH_DEL(*table, entry);
		free(entry->text);
		free(entry);
	}
}

static void put_costs(const struct writer *w, const struct costs *c)
{
	for (size_t i = 0; i < w->cost_count; i++)
		fprintf(w->run->out, " %" PRIu64, c->of[i]);
	putc('\n', w->run->out);
}

static bool is_zero(const struct costs *c)
{
	for (size_t i = 0; i < COST_KINDS; i++)
		if (c->of[i])
			return false;
	return true;
}

static void put_header(struct writer *w)
{
	const struct callgrind_report *r = w->report;
	char *command = image_command(r->image), *shown = visible_text(command);
	FILE *out = w->run->out;

	fputs("# callgrind format\nversion: 1\ncreator: allotrope " ALLOTROPE_VERSION "\n", out);
	fprintf(out, "pid: %" PRIu32 "\ncmd: %s\npart: 1\n\n", r->image->pid, shown);
	fputs("desc: Calls: allocations made through them (calls are not counted)\n", out);
	for (size_t i = 0; i < w->cost_count; i++) {
		fprintf(out, "event: %s : %s", events[i].word, events[i].help[r->kind]);
		if (r->is_sample && r->kind == KIND_HEAP)
			fputs(" (estimate: record --sample)", out);
		else if (i == COST_TIME && r->timed_calls < r->all_calls)
			fprintf(out, " (estimate: %" PRIu64 " of %" PRIu64 " calls timed)",
				r->timed_calls, r->all_calls);
		putc('\n', out);
	}
	fputs("positions: line\nevents:", out);
	for (size_t i = 0; i < w->cost_count; i++)
		fprintf(out, " %s", events[i].word);
	fputs("\nsummary:", out);
	put_costs(w, &r->graph->total);
	free(command);
	free(shown);
}

static void put_function_name(struct writer *w, const struct graph_function *f, bool is_called)
{
	put_name(w, &w->objects, is_called ? "cob" : "ob", f->module);
	put_name(w, &w->files, is_called ? "cfi" : "fl", f->file);
	put_name(w, &w->functions, is_called ? "cfn" : "fn", f->name);
}

static void put_call(struct writer *w, const struct graph_function *callee, uint64_t count, int line,
		     const struct costs *cost)
{
	put_function_name(w, callee, true);
	/* a call that was made no time is no call to callgrind_annotate */
	fprintf(w->run->out, "calls=%" PRIu64 " %d\n%d", count ? count : 1, callee->first_line, line);
	put_costs(w, cost);
}

/* A function that begins some call stacks and is called in others needs a caller for the former. */
static bool needs_caller(const struct graph_function *f)
{
	return f->is_called && !is_zero(&f->outermost);
}

static void put_outermost(struct writer *w)
{
	const struct callgraph *g = w->report->graph;
	const struct graph_function caller = { .name = OUTERMOST };
	bool has_begun = false;

	for (size_t i = 0; i < g->function_count; i++) {
		const struct graph_function *f = &g->functions[i];

		if (!needs_caller(f))
			continue;
		if (!has_begun) {
			putc('\n', w->run->out);
			put_function_name(w, &caller, false);
			has_begun = true;
		}
		put_call(w, f, f->outermost.of[COST_BLOCKS], 0, &f->outermost);
	}
}

static void put_functions(struct writer *w)
{
	const struct callgraph *g = w->report->graph;
	size_t line = 0, call = 0;

	for (size_t i = 0; i < g->function_count; i++) {
		putc('\n', w->run->out);
		put_function_name(w, &g->functions[i], false);
		for (; line < g->line_count && g->lines[line].function == i; line++) {
			if (is_zero(&g->lines[line].self))
				continue;
			fprintf(w->run->out, "%d", g->lines[line].line);
			put_costs(w, &g->lines[line].self);
		}
		for (; call < g->call_count && g->calls[call].caller == i; call++) {
			const struct graph_call *c = &g->calls[call];

			put_call(w, &g->functions[c->callee], c->blocks, c->line, &c->cost);
		}
	}
}

void callgrind_put_file(struct run *run, const struct callgrind_report *report)
{
	struct writer w = {
		.run = run,
		.report = report,
		.cost_count = report->has_time ? COST_KINDS : COST_TIME,
	};

	put_header(&w);
	put_functions(&w);
	put_outermost(&w);
	fputs("\ntotals:", run->out);
	put_costs(&w, &report->graph->total);
	names_free(&w.objects);
	names_free(&w.files);
	names_free(&w.functions);
}
