/*
 * strace_table.c - columns and rounding as strace 6.1 prints them. A refused brk is no
 * error there: the kernel answers with the break as it is.
 */
#include "forms/strace_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "base/xmem.h"
#include "forms/syscall_words.h"

struct row {
	unsigned number;
	struct syscall_totals t;
	double seconds, shortest, longest;
};

static uint64_t errors(const struct row *row)
{
	return row->number == SYS_MEM_brk ? 0 : row->t.errors;
}

/* A column with the spellings of its name in -S and -U. */
static const struct {
	const char *title;
	unsigned width;       /* at least; on the left: the name's */
	const char *words[4];
} columns_known[STRACE_COLUMNS] = {
	[STRACE_PERCENT] = { "% time", 6, { "time-percent", "time" } },
	[STRACE_TOTAL] = { "seconds", 11, { "total-time", "time-total", "total_time", "time_total" } },
	[STRACE_MIN] = { "shortest", 8, { "min-time", "time-min", "shortest" } },
	[STRACE_MAX] = { "longest", 8, { "max-time", "time-max", "longest" } },
	[STRACE_AVERAGE] = { "usecs/call", 11, { "avg-time", "time-avg" } },
	[STRACE_CALLS] = { "calls", 9, { "calls", "count" } },
	[STRACE_ERRORS] = { "errors", 9, { "errors", "error" } },
	[STRACE_NAME] = { "syscall", 16, { "name", "syscall", "syscall-name" } },
};

static bool column_parse(const char *word, enum strace_column *column)
{
	for (unsigned i = 0; i < STRACE_COLUMNS; i++) {
		for (unsigned k = 0; k < 4 && columns_known[i].words[k]; k++) {
			if (strcmp(columns_known[i].words[k], word) == 0) {
				*column = (enum strace_column)i;
				return true;
			}
		}
	}
	return false;
}

bool strace_sort_parse(const char *word, enum strace_column *sort)
{
	if (strcmp(word, "nothing") == 0 || strcmp(word, "none") == 0)
		*sort = STRACE_UNSORTED;
	else if (!column_parse(word, sort))
		return false;
	return true;
}

int strace_columns_parse(const char *list, struct strace_summary *summary, struct diag *d)
{
	char *copy = xstrdup(list), *rest = copy, *word;
	enum strace_column column;
	unsigned seen = 0;
	int result = 0;

	summary->count = 0;
	while (result == 0 && (word = strsep(&rest, ",")) != NULL) {
		if (!column_parse(word, &column)) {
			diag_set(d, STATUS_USAGE, "-U takes time-percent, total-time, min-time, max-time, "
				 "avg-time, calls, errors and name, not '%s'", word);
			result = -1;
		} else if (seen >> column & 1) {
			diag_set(d, STATUS_USAGE, "-U has '%s' twice", word);
			result = -1;
		} else {
			seen |= 1u << column;
			summary->shown[summary->count++] = column;
		}
	}
	if (result == 0 && !(seen >> STRACE_NAME & 1))
		summary->shown[summary->count++] = STRACE_NAME;
	free(copy);
	return result;
}

static int order(double a, double b)
{
	return a > b ? -1 : a < b;
}

static double sort_value(const struct row *row, enum strace_column sort)
{
	switch (sort) {
	case STRACE_MIN:
		return row->shortest;
	case STRACE_MAX:
		return row->longest;
	case STRACE_AVERAGE:
		return row->t.calls ? row->seconds / (double)row->t.calls : 0;
	case STRACE_CALLS:
		return (double)row->t.calls;
	case STRACE_ERRORS:
		return (double)errors(row);
	default:
		return row->seconds;
	}
}

static int compare(const void *pa, const void *pb, void *ctx)
{
	const struct row *a = pa, *b = pb;
	enum strace_column sort = *(const enum strace_column *)ctx;
	int result = 0;

	if (sort == STRACE_UNSORTED)
		return a->number < b->number ? -1 : 1;
	if (sort != STRACE_NAME)
		result = order(sort_value(a, sort), sort_value(b, sort));
	if (result == 0 && sort != STRACE_NAME)
		result = order((double)a->t.calls, (double)b->t.calls);
	return result ? result : strcmp(syscall_name(a->number), syscall_name(b->number));
}

static size_t add_up(const struct run *run, syscall_set set, struct row *rows)
{
	double second = run->recording->ns_per_tick / 1e9;
	size_t count = 0;

	for (unsigned i = 0; i < SYS_MEM_COUNT; i++) {
		struct row row = { .number = i };

		for (size_t k = 0; k < run->heap_count; k++) {
			const struct syscall_totals *t = &run->heaps[k]->syscalls[i];

			row.t.calls += t->calls;
			row.t.errors += t->errors;
			row.t.inferred += t->inferred;
			if (t->timed && (row.t.timed == 0 || t->shortest < row.t.shortest))
				row.t.shortest = t->shortest;
			if (t->longest > row.t.longest)
				row.t.longest = t->longest;
			row.t.timed += t->timed;
			row.t.ticks += t->ticks;
			row.t.grow += t->grow;
			row.t.trim += t->trim;
			row.t.grow_bytes += t->grow_bytes;
			row.t.trim_bytes += t->trim_bytes;
		}
		row.seconds = (double)row.t.ticks * second;
		row.shortest = (double)row.t.shortest * second;
		row.longest = (double)row.t.longest * second;
		if (row.t.calls > 0 && syscall_set_has(set, i))
			rows[count++] = row;
	}
	return count;
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
	fprintf(out, "  grow %13s  %s%s\n", units_count(calls, t->grow), t->grow_bytes ? "+" : "",
		units_bytes(bytes, t->grow_bytes));
	fprintf(out, "  trim %13s  %s%s\n", units_count(calls, t->trim), t->trim_bytes ? "-" : "",
		units_bytes(bytes, t->trim_bytes));
	if (t->errors)
		fprintf(out, "  refused %10s  (the answer was the break as it is)\n",
			units_count(calls, t->errors));
	if (t->calls > moved)
		fprintf(out, "  asked %12s  (brk(NULL): where is it)\n",
			units_count(calls, t->calls - moved));
}

/* The table under way: columns, their widths, the sum of all rows. */
struct layout {
	const struct strace_summary *summary;
	const struct row *all;
	unsigned widths[STRACE_COLUMNS];
};

/* What ROW has in COLUMN; TEXT has room for it. */
static const char *cell_text_of(const struct layout *l, const struct row *row,
				enum strace_column column, char text[32])
{
	switch (column) {
	case STRACE_PERCENT:
		snprintf(text, 32, "%.2f", row == l->all ? 100.0 :
			 percent_of(row->seconds, l->all->seconds));
		return text;
	case STRACE_TOTAL:
		snprintf(text, 32, "%.6f", row->seconds);
		return text;
	case STRACE_MIN:
		snprintf(text, 32, "%.6f", row->shortest);
		return text;
	case STRACE_MAX:
		snprintf(text, 32, "%.6f", row->longest);
		return text;
	case STRACE_AVERAGE:
		snprintf(text, 32, "%" PRIu64, row->t.calls ?
			 units_whole(row->seconds * 1e6) / row->t.calls : 0);
		return text;
	case STRACE_CALLS:
		snprintf(text, 32, "%" PRIu64, row->t.calls);
		return text;
	case STRACE_ERRORS:
		text[0] = '\0';
		if (errors(row))
			snprintf(text, 32, "%" PRIu64, errors(row));
		return text;
	default:
		return row == l->all ? "total" : syscall_name(row->number);
	}
}

static void widen(struct layout *l, const struct row *row)
{
	char text[32];

	for (unsigned i = 0; i < l->summary->count; i++) {
		enum strace_column c = l->summary->shown[i];
		/* strace leaves a column behind the longest name */
		size_t bytes = strlen(cell_text_of(l, row, c, text)) + (c == STRACE_NAME);

		if (bytes > l->widths[c])
			l->widths[c] = (unsigned)bytes;
	}
}

/* ROW NULL: the titles. Names stand on the left, and nothing behind the last one. */
static void put_row(FILE *out, const struct layout *l, const struct row *row)
{
	char text[32];

	for (unsigned i = 0; i < l->summary->count; i++) {
		enum strace_column c = l->summary->shown[i];
		const char *cell = row ? cell_text_of(l, row, c, text) : columns_known[c].title;
		int width = (int)l->widths[c];

		if (i > 0)
			putc(' ', out);
		if (c != STRACE_NAME)
			fprintf(out, "%*s", width, cell);
		else
			fprintf(out, "%-*s", i + 1 < l->summary->count ? width : 0, cell);
	}
	putc('\n', out);
}

static void put_rule(FILE *out, const struct layout *l)
{
	for (unsigned i = 0; i < l->summary->count; i++) {
		if (i > 0)
			putc(' ', out);
		for (unsigned k = 0; k < l->widths[l->summary->shown[i]]; k++)
			putc('-', out);
	}
	putc('\n', out);
}

static void put_text(struct run *run, const struct row *rows, size_t count,
		     const struct row *all, const struct strace_summary *summary)
{
	static const struct strace_summary usual = {
		.shown = { STRACE_PERCENT, STRACE_TOTAL, STRACE_AVERAGE, STRACE_CALLS, STRACE_ERRORS,
			   STRACE_NAME },
		.count = 6,
	};
	struct layout l = { .summary = summary->count ? summary : &usual, .all = all };

	for (unsigned i = 0; i < STRACE_COLUMNS; i++)
		l.widths[i] = columns_known[i].width;
	for (size_t i = 0; i < count; i++)
		widen(&l, &rows[i]);
	widen(&l, all);
	put_row(run->out, &l, NULL);
	put_rule(run->out, &l);
	for (size_t i = 0; i < count; i++)
		put_row(run->out, &l, &rows[i]);
	put_rule(run->out, &l);
	put_row(run->out, &l, all);
	for (size_t i = 0; i < count; i++)
		if (rows[i].number == SYS_MEM_brk)
			put_break(run->out, &rows[i].t);
}

enum {
	COL_PERCENT, COL_SECONDS, COL_USECS, COL_SHORTEST, COL_LONGEST, COL_CALLS, COL_ERRORS,
	COL_GROW, COL_TRIM,
	COL_GROW_BYTES, COL_TRIM_BYTES, COL_INFERRED, COL_NAME, COLS,
};

static const struct column columns[COLS] = {
	[COL_PERCENT] = { "percent", NULL, COLUMN_PERCENT, 0, false, "share of the time" },
	[COL_SECONDS] = { "seconds", NULL, COLUMN_REAL, 0, false, "time in the calls" },
	[COL_USECS] = { "usecs_per_call", NULL, COLUMN_REAL, 0, false, "time in one, on average" },
	[COL_SHORTEST] = { "shortest", NULL, COLUMN_REAL, 0, false, "seconds: the shortest call" },
	[COL_LONGEST] = { "longest", NULL, COLUMN_REAL, 0, false, "seconds: the longest" },
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
			[COL_SHORTEST] = cell_real(row->shortest),
			[COL_LONGEST] = cell_real(row->longest),
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

void strace_table_put(struct run *run, syscall_set set, const struct strace_summary *summary)
{
	enum strace_column sort = summary->sort;
	struct row rows[SYS_MEM_COUNT], all = { .number = SYS_MEM_COUNT };
	size_t count = add_up(run, set, rows);
	char text[UNITS_MAX];

	for (size_t i = 0; i < count; i++) {
		all.t.calls += rows[i].t.calls;
		all.t.errors += errors(&rows[i]);
		all.t.inferred += rows[i].t.inferred;
		all.seconds += rows[i].seconds;
		if (rows[i].t.timed && (all.t.timed == 0 || rows[i].shortest < all.shortest))
			all.shortest = rows[i].shortest;
		if (rows[i].longest > all.longest)
			all.longest = rows[i].longest;
		all.t.timed += rows[i].t.timed;
	}
	if (count > 1)
		qsort_r(rows, count, sizeof(rows[0]), compare, &sort);
	if (run->format == EMIT_TEXT)
		put_text(run, rows, count, &all, summary);
	else
		put_cells(run, rows, count, all.seconds);
	if (all.t.inferred)
		run_note(run, "%s of these calls were inferred, not seen: their times are not known",
			 units_count(text, all.t.inferred));
}
