/*
 * freed_ages.c - see freed_ages.h.
 */
#include "forms/freed_ages.h"

#include <inttypes.h>

#include "base/term.h"
#include "base/units.h"

#define AGE_FIRST_NS 100

enum { AGE_FROM, AGE_TO, AGE_BLOCKS, AGE_BYTES, AGE_PID, AGE_EXEC, AGE_COUNT };

static const struct column age_columns[AGE_COUNT] = {
	[AGE_FROM] = { "from_ns", NULL, COLUMN_NS, 0, false, "least age of this row" },
	[AGE_TO] = { "to_ns", NULL, COLUMN_NS, 0, false, "ages are below this; empty: no limit" },
	[AGE_BLOCKS] = { "blocks", NULL, COLUMN_COUNT, 0, false, "blocks that were freed at such an age" },
	[AGE_BYTES] = { "bytes", NULL, COLUMN_BYTES, 0, false, "their bytes" },
	[AGE_PID] = { "pid", NULL, COLUMN_EXACT, 0, false, "process" },
	[AGE_EXEC] = { "exec", NULL, COLUMN_EXACT, 0, false, "program of that process" },
};

static uint64_t age_from(unsigned row)
{
	uint64_t ns = AGE_FIRST_NS;

	for (unsigned i = 1; i < row; i++)
		ns *= 10;
	return row ? ns : 0;
}

static unsigned age_row(uint64_t ns)
{
	unsigned row = 0;

	for (uint64_t to = AGE_FIRST_NS; row < AGE_ROWS - 1 && ns >= to; to *= 10)
		row++;
	return row;
}

void freed_ages_add(struct freed_ages *a, uint64_t ns, struct amount weight)
{
	struct amount *row = &a->rows[age_row(ns)];

	row->blocks += weight.blocks;
	row->bytes += weight.bytes;
	a->sum.blocks += weight.blocks;
	a->sum.bytes += weight.bytes;
}

/* Bounds of a row without a space: "100us". */
static const char *short_age(char *buffer, unsigned row)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	uint64_t ns = age_from(row);
	unsigned unit = 0;

	while (ns >= 1000 && unit < 3) {
		ns /= 1000;
		unit++;
	}
	snprintf(buffer, UNITS_MAX, "%" PRIu64 "%s", ns, units[unit]);
	return buffer;
}

/* The rows that something is in, and those between. Returns false where there is none. */
static bool age_span(const struct freed_ages *a, unsigned *first, unsigned *last)
{
	*first = AGE_ROWS;
	for (unsigned i = 0; i < AGE_ROWS; i++) {
		if (a->rows[i].blocks == 0)
			continue;
		*first = *first < i ? *first : i;
		*last = i;
	}
	return *first < AGE_ROWS;
}

void freed_ages_put(struct run *run, const struct freed_ages *a)
{
	int bar_width = run->width > 102 ? 60 : run->width - 42;
	unsigned first, last = 0;
	uint64_t most = 1;

	if (!age_span(a, &first, &last))
		return;
	for (unsigned i = first; i <= last; i++)
		most = a->rows[i].blocks > most ? a->rows[i].blocks : most;
	fprintf(run->out, "%s%14s %12s %12s  by count%s\n", term_style(run->color, STYLE_HEAD),
		"age when freed", "blocks", "bytes", term_plain(run->color));
	for (unsigned i = first; i <= last; i++) {
		char from[UNITS_MAX], to[UNITS_MAX], range[2 * UNITS_MAX + 8];
		char count[UNITS_MAX], bytes[UNITS_MAX];
		int bar = (int)((double)a->rows[i].blocks / (double)most * bar_width + 0.5);

		/* what is there is seen */
		if (a->rows[i].blocks > 0 && bar == 0)
			bar = 1;
		if (i == AGE_ROWS - 1)
			snprintf(range, sizeof(range), "%s ..", short_age(from, i));
		else
			snprintf(range, sizeof(range), "%s .. <%s", i ? short_age(from, i) : "0",
				 short_age(to, i + 1));
		fprintf(run->out, "%14s %12s %12s%s%s", range, units_count(count, a->rows[i].blocks),
			units_bytes(bytes, a->rows[i].bytes), bar ? "  " : "",
			term_style(run->color, STYLE_GOOD));
		for (int b = 0; b < bar; b++)
			putc('#', run->out);
		fprintf(run->out, "%s\n", term_plain(run->color));
	}
}

struct emit *freed_ages_table(struct run *run)
{
	return run_table(run, age_columns, AGE_COUNT);
}

void freed_ages_emit(struct emit *table, const struct image *image, const struct freed_ages *a)
{
	unsigned first, last = 0;

	if (!age_span(a, &first, &last))
		return;
	for (unsigned i = first; i <= last; i++) {
		struct cell cells[AGE_COUNT] = {
			[AGE_FROM] = cell_number(age_from(i)),
			[AGE_BLOCKS] = cell_number(a->rows[i].blocks),
			[AGE_BYTES] = cell_number(a->rows[i].bytes),
			[AGE_PID] = cell_number(image->pid),
			[AGE_EXEC] = cell_number(image->exec_number),
		};

		if (i < AGE_ROWS - 1)
			cells[AGE_TO] = cell_number(age_from(i + 1));
		emit_row(table, cells);
	}
}
