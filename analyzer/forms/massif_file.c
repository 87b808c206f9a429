/*
 * massif_file.c - the file format of valgrind's Massif (docs: valgrind's ms_print and
 * massif-visualizer read it line by line and take no other).
 */
#include <inttypes.h>
#include <stdlib.h>

#include "forms/massif_report.h"

const char *massif_unit_name(enum massif_unit unit)
{
	switch (unit) {
	case UNIT_MS:
		return "ms";
	case UNIT_CALLS:
		/* readers know no other unit that counts by one */
		return "i";
	default:
		return "B";
	}
}

const char *massif_time_text(char *buffer, enum massif_unit unit, uint64_t time)
{
	if (unit == UNIT_MS)
		snprintf(buffer, MASSIF_TIME_MAX, "%" PRIu64 ".%03u", time / 1000,
			 (unsigned)(time % 1000));
	else
		snprintf(buffer, MASSIF_TIME_MAX, "%" PRIu64, time);
	return buffer;
}

static void put_line(FILE *out, const struct massif_line *line, double threshold)
{
	fprintf(out, "%*sn%" PRIu32 ": %" PRIu64 " ", (int)line->depth, "", line->children,
		line->bytes);
	if (line->label) {
		fprintf(out, "%s\n", line->label);
	} else {
		char *text = massif_places_text(line, threshold);

		fprintf(out, "%s\n", text);
		free(text);
	}
}

static void put_tree(FILE *out, const struct massif_report *report, const struct snapshot *s)
{
	struct massif_lines lines;

	massif_lines_make(report->trees, s, &lines);
	for (size_t i = 0; i < lines.count; i++)
		put_line(out, &lines.items[i], report->options->threshold);
	massif_lines_release(&lines);
}

void massif_put_file(FILE *out, const struct massif_report *report)
{
	static const char *const kinds[] = {
		[SNAPSHOT_NORMAL] = "empty",
		[SNAPSHOT_DETAILED] = "detailed",
		[SNAPSHOT_PEAK] = "peak",
	};
	char time[MASSIF_TIME_MAX];

	fprintf(out, "desc: %s\ncmd: %s\ntime_unit: %s\n", report->arguments, report->command,
		massif_unit_name(report->options->unit));
	for (size_t i = 0; i < report->snapshots->count; i++) {
		const struct snapshot *s = &report->snapshots->items[i];

		fprintf(out, "#-----------\nsnapshot=%zu\n#-----------\n", i);
		fprintf(out, "time=%s\nmem_heap_B=%" PRIu64 "\nmem_heap_extra_B=%" PRIu64
			"\nmem_stacks_B=%" PRIu64 "\nheap_tree=%s\n",
			massif_time_text(time, report->options->unit, s->time), s->heap_bytes,
			s->extra_bytes, s->stack_bytes, kinds[s->kind]);
		if (s->kind != SNAPSHOT_NORMAL)
			put_tree(out, report, s);
	}
}
