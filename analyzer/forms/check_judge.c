/*
 * check_judge.c - see check_judge.h. Figures of a recording with losses are too small, so that a
 * loss fails: what was not seen cannot be within a limit.
 */
#include "forms/check_judge.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "base/visible.h"
#include "base/xmem.h"
#include "forms/health.h"

void check_result_release(struct check_result *r)
{
	for (size_t i = 0; i < r->count; i++) {
		free(r->verdicts[i].check);
		free(r->verdicts[i].program);
		free(r->verdicts[i].source);
		free(r->verdicts[i].text);
	}
	free(r->verdicts);
	memset(r, 0, sizeof(*r));
}

/* V, whose strings are taken over; its text is made printable. */
static void add(struct check_result *r, const struct check_verdict *v)
{
	struct check_verdict *to;

	xgrow(&r->verdicts, &r->capacity, r->count, sizeof(*r->verdicts));
	to = &r->verdicts[r->count++];
	*to = *v;
	to->text = visible_text(v->text);
	free(v->text);
	r->failed += !v->is_ok;
}

/* ---- the recording ---- */

static void add_incomplete(struct check_result *r, char *reason)
{
	add(r, &(struct check_verdict){
		.check = xstrdup("complete"),
		.text = xasprintf("the recording is not complete: %s", reason),
	});
	free(reason);
}

static void judge_losses(struct run *run, struct check_result *r)
{
	static const struct { const char *key, *text; } causes[] = {
#define ROW(name, key, text) { key, text },
		LOSS_CAUSES(ROW)
#undef ROW
	};
	json_t *losses = health_losses(run);
	char count[UNITS_MAX];

	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		const json_t *n = json_object_get(losses, causes[i].key);

		if (n)
			add_incomplete(r, xasprintf("%s events lost: %s",
				units_count(count, units_whole(json_number_value(n))), causes[i].text));
	}
	json_decref(losses);
}

void check_judge_recording(struct run *run, struct check_result *r)
{
	const struct recording *recording = run->recording;
	size_t before = r->count;

	judge_losses(run, r);
	if (recording->damaged_segments > 0)
		add_incomplete(r, xasprintf("%zu segments could not be read", recording->damaged_segments));
	else if (*recording->damage)
		add_incomplete(r, xstrdup(recording->damage));
	else if (recording->missing_segments > 0)
		add_incomplete(r, xasprintf("%zu segments are missing", recording->missing_segments));
	if (!recording->complete)
		add_incomplete(r, xstrdup("it is being made, or was cut short"));
	for (size_t i = 0; i < run->heap_count; i++)
		if (run->heaps[i]->overlaps > 0)
			add_incomplete(r, xasprintf("pid %" PRIu32 ": %" PRIu64 " blocks were given out "
						    "at addresses still in use: releases are missing",
						    run->heaps[i]->image->pid, run->heaps[i]->overlaps));
	if (r->count == before)
		add(r, &(struct check_verdict){
			.check = xstrdup("complete"), .is_ok = true,
			.text = xstrdup("the recording is complete"),
		});
}

/* ---- numbers in words ---- */

/* "9,541,234 (9.1 MiB)", or the first alone; a new string. */
static char *amount_text(uint64_t n, bool is_bytes)
{
	char count[UNITS_MAX], bytes[UNITS_MAX];

	units_count(count, n);
	if (!is_bytes || n < 1024)
		return xstrdup(count);
	return xasprintf("%s (%s)", count, units_bytes(bytes, n));
}

/* By how much ACTUAL is more than BASE: "13.7 % more", "1,234 more" where BASE is 0; a new string. */
static char *excess_text(uint64_t actual, uint64_t base)
{
	char text[UNITS_MAX];
	uint64_t more = actual - base;

	if (base == 0 || more / base >= 100)
		return xasprintf("%s more", units_count(text, more));
	if ((double)more / (double)base < 0.001)
		return xasprintf("%s more", units_count(text, more));
	return xasprintf("%s more", units_percent(text, more, base));
}

/* ---- limits ---- */

static char *limit_name(const struct check_limit *l)
{
	if (l->figure != FIGURE_COUNT)
		return xstrdup(figure_key(l->figure));
	return xasprintf("%s in %s", metric_name(l->metric), l->function);
}

static char *limit_words(const struct check_limit *l)
{
	if (l->figure != FIGURE_COUNT)
		return xstrdup(figure_text(l->figure));
	return xasprintf("%s in %s", metric_help(l->metric), l->function);
}

void check_judge_limit(const struct baseline_program *p, const struct check_limit *l, uint64_t actual,
		       struct check_result *r)
{
	bool is_bytes = l->figure != FIGURE_COUNT ? figure_is_bytes(l->figure) :
			!metric_is_blocks(l->metric);
	char *words = limit_words(l);
	char *have = amount_text(actual, is_bytes), *may = amount_text(l->limit, is_bytes);
	char *excess = actual > l->limit ? excess_text(actual, l->limit) : NULL;

	add(r, &(struct check_verdict){
		.check = limit_name(l), .program = xstrdup(p->name), .source = xstrdup(l->option),
		.is_ok = !excess, .is_bytes = is_bytes, .has_numbers = true,
		.actual = actual, .limit = l->limit,
		.text = xasprintf("%s: %s: %s, %s allows %s%s%s", p->name, words, have, l->option, may,
				  excess ? ": " : "", excess ? excess : ""),
	});
	free(words);
	free(have);
	free(may);
	free(excess);
}

/* ---- baseline ---- */

uint64_t check_allowed(const struct check_tolerance *tolerance, uint64_t value)
{
	uint64_t more = tolerance->is_percent ?
			units_whole(floor((double)value * tolerance->percent / 100.0)) : tolerance->amount;

	return value > UINT64_MAX - more ? UINT64_MAX : value + more;
}

static const struct baseline_site *find_site(const struct baseline_program *p, const char *function)
{
	for (size_t i = 0; i < p->site_count; i++)
		if (strcmp(p->sites[i].function, function) == 0)
			return &p->sites[i];
	return NULL;
}

/* "; at the peak parse_value has 1.2 MiB more": what explains more bytes best; NULL: nothing does. */
static char *growth_text(const struct baseline_program *p, const struct baseline_program *old)
{
	const struct baseline_site *best = NULL;
	char bytes[UNITS_MAX];
	/* what a full list does not have was no more than its last one */
	uint64_t least = old->site_count >= BASELINE_SITES ?
			 old->sites[old->site_count - 1].peak.bytes : 0;
	uint64_t most = 0;

	for (size_t i = 0; i < p->site_count; i++) {
		const struct baseline_site *was = find_site(old, p->sites[i].function);
		uint64_t before = was ? was->peak.bytes : least;

		if (p->sites[i].peak.bytes > before && p->sites[i].peak.bytes - before > most) {
			most = p->sites[i].peak.bytes - before;
			best = &p->sites[i];
		}
	}
	if (!best)
		return NULL;
	if (find_site(old, best->function))
		return xasprintf("; at the peak %s has %s more", best->function,
				 units_bytes(bytes, most));
	return xasprintf("; at the peak %s has %s, and is not in the baseline", best->function,
			 units_bytes(bytes, best->peak.bytes));
}

static char *tolerance_text(const struct check_tolerance *t, bool is_bytes)
{
	char text[UNITS_MAX];

	if (t->is_percent)
		return xasprintf("%g %%", t->percent);
	return xstrdup(is_bytes ? units_bytes(text, t->amount) : units_count(text, t->amount));
}

static void judge_figure(const struct baseline_program *p, const struct baseline_program *old,
			 enum figure f, const char *path, const struct check_tolerance *tolerance,
			 struct check_result *r)
{
	uint64_t actual = p->figures[f], base = old->figures[f];
	uint64_t allowed = check_allowed(tolerance, base);
	bool is_bytes = figure_is_bytes(f), is_ok = actual <= allowed;
	char *have = amount_text(actual, is_bytes), *had = amount_text(base, is_bytes);
	char *excess = is_ok ? NULL : excess_text(actual, base);
	char *more = tolerance_text(tolerance, is_bytes);
	char *growth = is_ok || f != FIGURE_PEAK_BYTES ? NULL : growth_text(p, old);

	add(r, &(struct check_verdict){
		.check = xstrdup(figure_key(f)), .program = xstrdup(p->name),
		.source = xasprintf("%s:%u", path, old->lines[f]), .is_ok = is_ok, .is_bytes = is_bytes,
		.has_numbers = true, .has_baseline = true,
		.actual = actual, .limit = allowed, .baseline = base,
		.text = xasprintf("%s: %s: %s, %s:%u has %s and may grow by %s%s%s%s", p->name,
				  figure_text(f), have, path, old->lines[f], had, more,
				  excess ? ": " : "", excess ? excess : "", growth ? growth : ""),
	});
	free(have);
	free(had);
	free(excess);
	free(more);
	free(growth);
}

void check_judge_baseline(const struct baseline_program *p, const struct baseline_program *old,
			  const char *path, const struct check_tolerance *tolerances,
			  struct check_result *r, size_t *better)
{
	for (int f = 0; f < FIGURE_COUNT; f++) {
		if (!old->has[f] || !p->has[f])
			continue;
		judge_figure(p, old, (enum figure)f, path, &tolerances[f], r);
		*better += check_allowed(&tolerances[f], p->figures[f]) < old->figures[f];
	}
}
