/*
 * call_table.c - counts and times of functions; columns and rounding as ltrace
 * 0.7.3 prints them (summary.c): "%3lu.%02lu %4d.%06d %11lu %9d %s", most time first.
 */
#include "forms/call_table.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "base/xmem.h"

struct count {
	const char *name;
	uint64_t calls;
	uint64_t timed_calls, timed_ticks;
	double seconds;        /* estimate for all calls; < 0: nothing is known */
};

struct call_table {
	struct count *counts;
	size_t count, capacity;
	size_t last;           /* where the last name was: most calls repeat */
};

struct call_table *call_table_new(void)
{
	return xcalloc(1, sizeof(struct call_table));
}

void call_table_free(struct call_table *t)
{
	if (!t)
		return;
	free(t->counts);
	free(t);
}

static struct count *find(struct call_table *t, const char *name)
{
	if (t->last < t->count && t->counts[t->last].name == name)
		return &t->counts[t->last];
	for (t->last = 0; t->last < t->count; t->last++)
		if (strcmp(t->counts[t->last].name, name) == 0)
			return &t->counts[t->last];
	xgrow(&t->counts, &t->capacity, t->count, sizeof(*t->counts));
	t->counts[t->count] = (struct count){ .name = name };
	return &t->counts[t->count++];
}

void call_table_add(struct call_table *t, const char *name, uint64_t calls)
{
	find(t, name)->calls += calls;
}

void call_table_add_time(struct call_table *t, const char *name, uint64_t calls, uint64_t ticks)
{
	struct count *c = find(t, name);

	if (c->timed_calls < c->calls) {
		c->timed_calls += calls;
		c->timed_ticks += ticks * calls;
	}
}

static int compare(const void *pa, const void *pb)
{
	const struct count *a = pa, *b = pb;

	if (a->seconds != b->seconds)
		return a->seconds > b->seconds ? -1 : 1;
	if (a->calls != b->calls)
		return a->calls > b->calls ? -1 : 1;
	return strcmp(a->name, b->name);
}

enum {
	COL_PERCENT, COL_SECONDS, COL_USECS, COL_CALLS, COL_TIMED, COL_FUNCTION, COLS,
};

static const struct column columns[COLS] = {
	[COL_PERCENT] = { "percent", NULL, COLUMN_PERCENT, 0, false, "share of the time" },
	[COL_SECONDS] = { "seconds", NULL, COLUMN_REAL, 0, false, "time in the function, estimated" },
	[COL_USECS] = { "usecs_per_call", NULL, COLUMN_REAL, 0, false, "of the calls measured" },
	[COL_CALLS] = { "calls", NULL, COLUMN_EXACT, 0, false, "all calls" },
	[COL_TIMED] = { "timed_calls", NULL, COLUMN_EXACT, 0, false, "calls measured" },
	[COL_FUNCTION] = { "function", NULL, COLUMN_TEXT, 0, false, "name" },
};

static double percent_of(const struct count *c, double all)
{
	return all > 0 ? 100.0 * c->seconds / all : 0;
}

static void put_cells(const struct call_table *t, struct run *run, double all)
{
	struct emit *table = run_table(run, columns, COLS);

	for (size_t i = 0; i < t->count; i++) {
		const struct count *c = &t->counts[i];
		bool is_known = c->seconds >= 0;
		struct cell cells[COLS] = {
			[COL_PERCENT] = { .is_known = is_known, .real = percent_of(c, all) },
			[COL_SECONDS] = { .is_known = is_known, .real = c->seconds },
			[COL_USECS] = { .is_known = is_known,
					.real = c->seconds * 1e6 / (double)c->calls },
			[COL_CALLS] = cell_number(c->calls),
			[COL_TIMED] = cell_number(c->timed_calls),
			[COL_FUNCTION] = cell_text(c->name),
		};

		emit_row(table, cells);
	}
	emit_free(table);
}

static void put_text(const struct call_table *t, struct run *run, double all)
{
	static const char rule[] = "------ ----------- ----------- --------- --------------------\n";
	uint64_t calls = 0, micro;

	fputs("% time     seconds  usecs/call     calls      function\n", run->out);
	fputs(rule, run->out);
	for (size_t i = 0; i < t->count; i++) {
		const struct count *c = &t->counts[i];

		calls += c->calls;
		if (c->seconds < 0) {
			fprintf(run->out, "%6s %11s %11s %9" PRIu64 " %s\n", "-", "-", "-",
				c->calls, c->name);
			continue;
		}
		micro = units_whole(c->seconds * 1e6);
		fprintf(run->out, "%6.2f %4" PRIu64 ".%06" PRIu64 " %11" PRIu64 " %9" PRIu64 " %s\n",
			percent_of(c, all), micro / 1000000u, micro % 1000000u,
			units_whole(floor(c->seconds * 1e6 / (double)c->calls)), c->calls,
			c->name);
	}
	fputs(rule, run->out);
	micro = units_whole(all * 1e6);
	fprintf(run->out, "100.00 %4" PRIu64 ".%06" PRIu64 "             %9" PRIu64 " total\n",
		micro / 1000000u, micro % 1000000u, calls);
}

void call_table_put(struct call_table *t, struct run *run)
{
	char timed_text[UNITS_MAX], calls_text[UNITS_MAX];
	uint64_t calls = 0, timed = 0, unknown = 0;
	double all = 0;

	for (size_t i = 0; i < t->count; i++) {
		struct count *c = &t->counts[i];

		calls += c->calls;
		timed += c->timed_calls;
		c->seconds = -1;
		if (c->timed_calls > 0)
			c->seconds = (double)c->timed_ticks * run->recording->ns_per_tick / 1e9 /
				     (double)c->timed_calls * (double)c->calls;
		else
			unknown++;
		if (c->seconds > 0)
			all += c->seconds;
	}
	if (t->count > 1)
		qsort(t->counts, t->count, sizeof(*t->counts), compare);
	if (run->format == EMIT_TEXT)
		put_text(t, run, all);
	else
		put_cells(t, run, all);
	if (timed == 0 && calls > 0)
		run_note(run, "no call was measured: times are unknown "
			 "(record --timing=all measures each)");
	else if (timed < calls)
		run_note(run, "times are an estimate: %s of %s calls were measured and the rest "
			 "taken to be like them%s (record --timing=all measures each)",
			 units_count(timed_text, timed), units_count(calls_text, calls),
			 unknown ? "; '-': none was" : "");
}
