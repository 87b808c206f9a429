/*
 * strace_table.c - columns and rounding as strace 6.1 prints them. A refused brk is no
 * error there: the kernel answers with the break as it is.
 */
#include "forms/strace_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "forms/syscall_words.h"

struct row {
	unsigned number;
	struct syscall_totals t;
	double seconds;
};

static const char *const sort_words[] = {
	[STRACE_BY_TIME] = "time", [STRACE_BY_CALLS] = "calls", [STRACE_BY_ERRORS] = "errors",
	[STRACE_BY_NAME] = "name", [STRACE_UNSORTED] = "nothing",
};

bool strace_sort_parse(const char *word, enum strace_sort *sort)
{
	for (size_t i = 0; i < sizeof(sort_words) / sizeof(sort_words[0]); i++) {
		if (strcmp(sort_words[i], word) == 0) {
			*sort = (enum strace_sort)i;
			return true;
		}
	}
	return false;
}

static int order(double a, double b)
{
	return a > b ? -1 : a < b;
}

static int compare(const void *pa, const void *pb, void *ctx)
{
	const struct row *a = pa, *b = pb;
	enum strace_sort sort = *(const enum strace_sort *)ctx;
	int result = 0;

	if (sort == STRACE_UNSORTED)
		return a->number < b->number ? -1 : 1;
	if (sort == STRACE_BY_TIME)
		result = order(a->seconds, b->seconds);
	else if (sort == STRACE_BY_ERRORS)
		result = order((double)a->t.errors, (double)b->t.errors);
	if (result == 0 && sort != STRACE_BY_NAME)
		result = order((double)a->t.calls, (double)b->t.calls);
	return result ? result : strcmp(syscall_name(a->number), syscall_name(b->number));
}

static uint64_t errors(const struct row *row)
{
	return row->number == SYS_MEM_brk ? 0 : row->t.errors;
}

static size_t add_up(const struct run *run, syscall_set set, struct row *rows)
{
	size_t count = 0;

	for (unsigned i = 0; i < SYS_MEM_COUNT; i++) {
		struct row row = { .number = i };

		for (size_t k = 0; k < run->heap_count; k++) {
			const struct syscall_totals *t = &run->heaps[k]->syscalls[i];

			row.t.calls += t->calls;
			row.t.errors += t->errors;
			row.t.inferred += t->inferred;
			row.t.ticks += t->ticks;
			row.t.grow += t->grow;
			row.t.trim += t->trim;
			row.t.grow_bytes += t->grow_bytes;
			row.t.trim_bytes += t->trim_bytes;
		}
		row.seconds = (double)row.t.ticks * run->recording->ns_per_tick / 1e9;
		if (row.t.calls > 0 && syscall_set_has(set, i))
			rows[count++] = row;
	}
	return count;
}

static void put_line(FILE *out, double percent, const struct row *row, const char *name)
{
	uint64_t failed = errors(row);
	char text[24] = "";

	if (failed)
		snprintf(text, sizeof(text), "%" PRIu64, failed);
	fprintf(out, "%6.2f %11.6f %11" PRIu64 " %9" PRIu64 " %9s %s\n", percent, row->seconds,
		row->t.calls ? units_whole(row->seconds * 1e6) / row->t.calls : 0, row->t.calls,
		text, name);
}

static double percent_of(double part, double whole)
{
	return whole > 0 ? 100.0 * part / whole : 0;
}

static void put_break(FILE *out, const struct syscall_totals *t)
{
	char calls[UNITS_MAX], bytes[UNITS_MAX];
	uint64_t moved = t->grow + t->trim + t->errors;

	fprintf(out, "\nbrk            calls  moved the break by\n");
	fprintf(out, "  grow %13s  +%s\n", units_count(calls, t->grow),
		units_bytes(bytes, t->grow_bytes));
	fprintf(out, "  trim %13s  -%s\n", units_count(calls, t->trim),
		units_bytes(bytes, t->trim_bytes));
	if (t->errors)
		fprintf(out, "  refused %10s  (the answer was the break as it is)\n",
			units_count(calls, t->errors));
	if (t->calls > moved)
		fprintf(out, "  asked %12s  (brk(NULL): where is it)\n",
			units_count(calls, t->calls - moved));
}

static void put_text(struct run *run, const struct row *rows, size_t count, const struct row *all)
{
	static const char rule[] =
		"------ ----------- ----------- --------- --------- ----------------\n";

	fputs("% time     seconds  usecs/call     calls    errors syscall\n", run->out);
	fputs(rule, run->out);
	for (size_t i = 0; i < count; i++)
		put_line(run->out, percent_of(rows[i].seconds, all->seconds), &rows[i],
			 syscall_name(rows[i].number));
	fputs(rule, run->out);
	put_line(run->out, 100.0, all, "total");
	for (size_t i = 0; i < count; i++)
		if (rows[i].number == SYS_MEM_brk)
			put_break(run->out, &rows[i].t);
}

enum {
	COL_PERCENT, COL_SECONDS, COL_USECS, COL_CALLS, COL_ERRORS, COL_GROW, COL_TRIM,
	COL_GROW_BYTES, COL_TRIM_BYTES, COL_INFERRED, COL_NAME, COLS,
};

static const struct column columns[COLS] = {
	[COL_PERCENT] = { "percent", NULL, COLUMN_PERCENT, 0, false, "share of the time" },
	[COL_SECONDS] = { "seconds", NULL, COLUMN_REAL, 0, false, "time in the calls" },
	[COL_USECS] = { "usecs_per_call", NULL, COLUMN_REAL, 0, false, "time in one, on average" },
	[COL_CALLS] = { "calls", NULL, COLUMN_EXACT, 0, false, "calls" },
	[COL_ERRORS] = { "errors", NULL, COLUMN_EXACT, 0, false, "calls that failed" },
	[COL_GROW] = { "grow", NULL, COLUMN_EXACT, 0, false, "brk: calls that moved the break up" },
	[COL_TRIM] = { "trim", NULL, COLUMN_EXACT, 0, false, "brk: calls that moved it down" },
	[COL_GROW_BYTES] = { "grow_bytes", NULL, COLUMN_EXACT, 0, false, "brk: bytes up" },
	[COL_TRIM_BYTES] = { "trim_bytes", NULL, COLUMN_EXACT, 0, false, "brk: bytes down" },
	[COL_INFERRED] = { "inferred", NULL, COLUMN_EXACT, 0, false,
		"of the calls: concluded, not seen" },
	[COL_NAME] = { "syscall", NULL, COLUMN_TEXT, 0, false, "name" },
};

static void put_cells(struct run *run, const struct row *rows, size_t count, double seconds)
{
	struct emit *table = run_table(run, columns, COLS);

	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		const struct syscall_totals *t = &row->t;
		bool is_brk = row->number == SYS_MEM_brk;
		struct cell cells[COLS] = {
			[COL_PERCENT] = cell_real(percent_of(row->seconds, seconds)),
			[COL_SECONDS] = cell_real(row->seconds),
			[COL_USECS] = cell_real(row->seconds * 1e6 / (double)t->calls),
			[COL_CALLS] = cell_number(t->calls),
			[COL_ERRORS] = cell_number(errors(row)),
			[COL_GROW] = { .is_known = is_brk, .number = t->grow },
			[COL_TRIM] = { .is_known = is_brk, .number = t->trim },
			[COL_GROW_BYTES] = { .is_known = is_brk, .number = t->grow_bytes },
			[COL_TRIM_BYTES] = { .is_known = is_brk, .number = t->trim_bytes },
			[COL_INFERRED] = cell_number(t->inferred),
			[COL_NAME] = cell_text(syscall_name(row->number)),
		};

		emit_row(table, cells);
	}
	emit_free(table);
}

void strace_table_put(struct run *run, syscall_set set, enum strace_sort sort)
{
	struct row rows[SYS_MEM_COUNT], all = { .number = SYS_MEM_COUNT };
	size_t count = add_up(run, set, rows);
	char text[UNITS_MAX];

	for (size_t i = 0; i < count; i++) {
		all.t.calls += rows[i].t.calls;
		all.t.errors += errors(&rows[i]);
		all.t.inferred += rows[i].t.inferred;
		all.seconds += rows[i].seconds;
	}
	if (count > 1)
		qsort_r(rows, count, sizeof(rows[0]), compare, &sort);
	if (run->format == EMIT_TEXT)
		put_text(run, rows, count, &all);
	else
		put_cells(run, rows, count, all.seconds);
	if (all.t.inferred)
		run_note(run, "%s of these calls were inferred, not seen: their times are not known",
			 units_count(text, all.t.inferred));
}
