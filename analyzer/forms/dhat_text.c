/*
 * dhat_text.c - the text of exp-dhat (valgrind 3.6 to 3.14): the same words in the same
 * places, without the prefix of the process and with what is not known said so.
 * Averages and percentages are cut, not rounded, as there.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/units.h"
#include "base/xmem.h"
#include "forms/dhat_report.h"
#include "forms/stack_text.h"

static void put_amount(FILE *out, const char *label, struct amount a)
{
	char bytes[UNITS_MAX], blocks[UNITS_MAX];

	fprintf(out, "%s%s in %s blocks", label, units_count(bytes, a.bytes),
		units_count(blocks, a.blocks));
}

/* A time in words; the caller's buffer of UNITS_MAX. */
static const char *time_text(const struct run *run, const struct dhat_report *report,
			     points_sum time, char *buffer)
{
	uint64_t value = dhat_ns(run, report, time);
	char number[UNITS_MAX];

	if (report->unit == POINTS_TICKS)
		return units_ns(buffer, value);
	units_count(number, value);
	snprintf(buffer, UNITS_MAX, "%.30s %s", number,
		 report->unit == POINTS_BYTES ? "bytes" : "calls");
	return buffer;
}

static void put_deaths(const struct run *run, const struct dhat_report *report,
		       const struct point *pt)
{
	uint64_t whole = points_duration(report->points);
	char count[UNITS_MAX], age[UNITS_MAX];
	points_sum mean, share;

	if (pt->deaths == 0) {
		fputs("deaths:      none (none of these blocks were freed)\n", run->out);
		return;
	}
	mean = pt->death_ages / pt->deaths;
	/* one division: the mean alone would lose what is below a unit */
	share = whole ? pt->death_ages * 10000 / ((points_sum)pt->deaths * whole) : 0;
	fprintf(run->out, "deaths:      %s, at avg age %s (%" PRIu64 ".%02" PRIu64 "%% of prog lifetime)\n",
		units_count(count, pt->deaths), time_text(run, report, mean, age),
		(uint64_t)(share / 100), (uint64_t)(share % 100));
}

static void put_line(const struct run *run, const char *word, uint64_t pc,
		      const struct symbol_frame *f)
{
	char head[32];
	int used = snprintf(head, sizeof(head), "   %s 0x%" PRIX64 ": ", word, pc);
	int left = run->width - used;
	char *text = frame_text_fit(f, left > 20 ? (size_t)left : 20);

	fprintf(run->out, "%s%s\n", head, text);
	free(text);
}

static void put_stack(const struct run *run, const struct dhat_report *report, stack_id stack)
{
	uint32_t shown = 0, left = 0;

	if (stack == STACK_NONE)
		fputs("   (no call stack)\n", run->out);
	for (; stack != STACK_NONE; stack = stacks_node(run->stacks, stack)->parent) {
		const struct symbol *symbol = resolver_frame(run->resolver, stack);
		uint64_t pc = stacks_node(run->stacks, stack)->value;

		for (uint32_t i = 0; i < symbol->count; i++) {
			if (report->depth && shown >= report->depth)
				left++;
			else
				put_line(run, shown++ ? "by" : "at", pc, &symbol->frames[i]);
		}
	}
	if (left)
		fprintf(run->out, "   ... %" PRIu32 " more: --depth=0\n", left);
}

static void put_point(const struct run *run, const struct dhat_report *report,
		      const struct dhat_row *row)
{
	const struct point *pt = row->point;

	put_amount(run->out, "max-live:    ", dhat_max(report, row));
	put_amount(run->out, "\ntot-alloc:   ", pt->total);
	if (pt->total.blocks) {
		points_sum size = (points_sum)pt->total.bytes * 100 / pt->total.blocks;

		fprintf(run->out, " (avg size %" PRIu64 ".%02" PRIu64 ")", (uint64_t)(size / 100),
			(uint64_t)(size % 100));
	}
	putc('\n', run->out);
	put_deaths(run, report, pt);
	fputs("acc-ratios:  not recorded\n", run->out);
	put_stack(run, report, row->stack);
}

void dhat_put_text(struct run *run, const struct dhat_report *report)
{
	const struct points *p = report->points;
	size_t shown = run_rows(run, report->count);
	char time[UNITS_MAX], deaths[UNITS_MAX];

	fputs("======== SUMMARY STATISTICS ========\n\n", run->out);
	fprintf(run->out, "duration:     %s\n\n",
		time_text(run, report, points_duration(p), time));
	put_amount(run->out, "max_live:     ", p->peak);
	put_amount(run->out, "\n\ntot_alloc:    ", p->total);
	fprintf(run->out, "\n\ndeaths:       %s blocks\n\n\n", units_count(deaths, p->deaths));
	fprintf(run->out, "======== ORDERED BY %s \"%s\": top %zu allocators ========\n",
		run->sort.keys[0].is_ascending ? "increasing" : "decreasing", report->sort_word, shown);
	for (size_t i = 0; i < shown; i++) {
		fprintf(run->out, "\n-------------------- %zu of %zu --------------------\n",
			i + 1, report->count);
		put_point(run, report, &report->rows[i]);
	}
}
