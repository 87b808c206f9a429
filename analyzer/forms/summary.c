/*
 * summary.c - the report `summary`: one screen that says where the memory of a
 * program is and what to do about it. The figures come from summary_facts, the text
 * from summary_screen, the JSON from summary_json; here are CSV and the order of things.
 */
#include <stdlib.h>

#include "base/term.h"
#include "forms/form.h"
#include "forms/summary_facts.h"

struct summary_state {
	struct rss_moments *moments;
	uint64_t moments_quiet; /* up to here no event says anything to them */
	struct freed_pages freed;
	struct emit *table;   /* CSV */
};

static void put_text(struct run *run, const struct heap *heap)
{
	struct summary_state *s = run->state;
	struct summary_facts *f = summary_facts_new(run, s->moments, &s->freed, heap);

	summary_put_screen(run, f);
	summary_facts_free(f);
}

/* ---- CSV: a row for each image shown ---- */

enum {
	COL_PID, COL_EXEC, COL_PROGRAM, COL_DURATION, COL_BLOCKS, COL_BYTES, COL_FREES,
	COL_PEAK_BYTES, COL_PEAK_BLOCKS, COL_END_BYTES, COL_END_BLOCKS, COL_MAPPED_PEAK,
	COL_MAX_RSS, COL_THREADS, COLS,
};

static const struct column columns[COLS] = {
	[COL_PID] = { "pid", NULL, COLUMN_EXACT, 0, false, "process" },
	[COL_EXEC] = { "exec", NULL, COLUMN_EXACT, 0, false, "program of that process" },
	[COL_PROGRAM] = { "program", NULL, COLUMN_TEXT, 0, false, "its command line" },
	[COL_DURATION] = { "duration_s", NULL, COLUMN_REAL, 0, false, "seconds from start to end" },
	[COL_BLOCKS] = { "blocks", NULL, COLUMN_EXACT, 0, false, "heap blocks acquired" },
	[COL_BYTES] = { "bytes", NULL, COLUMN_EXACT, 0, false, "their requested bytes" },
	[COL_FREES] = { "frees", NULL, COLUMN_EXACT, 0, false, "heap blocks released" },
	[COL_PEAK_BYTES] = { "peak_bytes", NULL, COLUMN_EXACT, 0, false, "most live bytes" },
	[COL_PEAK_BLOCKS] = { "peak_blocks", NULL, COLUMN_EXACT, 0, false, "blocks live then" },
	[COL_END_BYTES] = { "end_bytes", NULL, COLUMN_EXACT, 0, false, "live at the end" },
	[COL_END_BLOCKS] = { "end_blocks", NULL, COLUMN_EXACT, 0, false, "live at the end" },
	[COL_MAPPED_PEAK] = { "mapped_peak_bytes", NULL, COLUMN_EXACT, 0, false,
		"most bytes mapped by the program itself" },
	[COL_MAX_RSS] = { "max_rss_bytes", NULL, COLUMN_EXACT, 0, false, "most resident bytes" },
	[COL_THREADS] = { "threads", NULL, COLUMN_EXACT, 0, false, "threads seen" },
};

static void put_cells(struct run *run, const struct heap *h)
{
	struct summary_state *s = run->state;
	const struct rss_moment *m = rss_moments_of(s->moments, h->image, h);
	char *command = image_command(h->image);
	int64_t ns = recording_ns(run->recording, h->image->end_stamp) -
		     recording_ns(run->recording, h->image->start_stamp);
	struct cell cells[COLS] = {
		[COL_PID] = cell_number(h->image->pid),
		[COL_EXEC] = cell_number(h->image->exec_number),
		[COL_PROGRAM] = cell_text(command),
		[COL_DURATION] = cell_real((double)ns / 1e9),
		[COL_BLOCKS] = cell_number(h->total.blocks),
		[COL_BYTES] = cell_number(h->total.bytes),
		[COL_FREES] = cell_number(h->freed.blocks),
		[COL_PEAK_BYTES] = cell_number(h->peak.bytes),
		[COL_PEAK_BLOCKS] = cell_number(h->peak.blocks),
		[COL_END_BYTES] = cell_number(h->end.bytes),
		[COL_END_BLOCKS] = cell_number(h->end.blocks),
		[COL_MAPPED_PEAK] = cell_number(h->mapped_peak.bytes),
	};
	size_t threads = summary_threads(run->recording, h->image);

	if (threads)
		cells[COL_THREADS] = cell_number(threads);
	if (m && m->max_rss)
		cells[COL_MAX_RSS] = cell_number(m->max_rss);
	emit_row(s->table, cells);
	free(command);
}

/* ---- the form ---- */

static int summary_begin(struct run *run)
{
	struct summary_state *s = run->state;

	s->moments = rss_moments_new(run->recording, run->since_stamp, run->until_stamp);
	/* what is never released is known at the end only */
	s->freed.has_kept = !run->has_window;
	return 0;
}

static void summary_watch(struct run *run, const struct event *event,
			  const struct change *change)
{
	struct summary_state *s = run->state;

	if (event->r.stamp > s->moments_quiet)
		s->moments_quiet = rss_moments_watch(s->moments, event, change);
	if (event->r.stamp >= run->since_stamp && event->r.stamp <= run->until_stamp)
		freed_pages_add(&s->freed, event, change);
}

/* With --all: an array of the objects of each image. */
static void put_json(struct run *run)
{
	struct summary_state *s = run->state;
	json_t *list = json_array();

	for (size_t i = 0; i < run->heap_count; i++) {
		struct summary_facts *f = summary_facts_new(run, s->moments, &s->freed,
							    run->heaps[i]);

		json_array_append_new(list, summary_json(run, f));
		summary_facts_free(f);
	}
	if (run->heap_count == 0)
		json_array_append_new(list, summary_json(run, NULL));
	if (run->is_all) {
		json_write(run->out, list);
	} else {
		json_write(run->out, json_incref(json_array_get(list, 0)));
		json_decref(list);
	}
}

static void add_kept(struct run *run)
{
	struct summary_state *s = run->state;
	struct map_snapshots *snapshots = map_snapshots_new(run->recording);

	freed_pages_add_kept(&s->freed, snapshots);
	map_snapshots_free(snapshots);
}

static int summary_end(struct run *run)
{
	struct summary_state *s = run->state;

	if (s->freed.has_kept)
		add_kept(run);
	if (run->format == EMIT_JSON) {
		put_json(run);
		return 0;
	}
	if (run->format == EMIT_CSV)
		s->table = run_table(run, columns, COLS);
	for (size_t i = 0; i < run->heap_count; i++) {
		if (run->format == EMIT_CSV) {
			put_cells(run, run->heaps[i]);
			continue;
		}
		if (i > 0)
			fprintf(run->out, "\n\n");
		put_text(run, run->heaps[i]);
	}
	if (run->format == EMIT_CSV) {
		emit_free(s->table);
		return 0;
	}
	if (run->heap_count == 0)
		fputs("No program was recorded: 'allotrope info' tells why.\n", run->out);
	else
		fprintf(run->out, "\n%sNext: allotrope %s%s\n",
			term_style(run->color, STYLE_FAINT), recording_is_outside(run->recording) ?
			"maps | timeline" : "sites | sizes | ltrace -c", term_plain(run->color));
	return 0;
}

static void summary_release(struct run *run)
{
	struct summary_state *s = run->state;

	rss_moments_free(s->moments);
	freed_pages_release(&s->freed);
}

const struct form form_summary = {
	.name = "summary",
	.summary = "one screen: where the memory is, peak, top sites, what to do",
	.needs = NEED_HEAP | NEED_SYMBOLS | NEED_PEAK | NEED_SIZES | NEED_REGIONS | NEED_ALL,
	.doc = "Time, resident memory and what it consists of, the heap's peak and totals, the "
	       "sites with the most memory, findings with remedies.",
	.columns = columns,
	.column_count = COLS,
	.knows_outside = true,
	.has_json_notes = true,
	.state_size = sizeof(struct summary_state),
	.begin = summary_begin,
	.watch = summary_watch,
	.end = summary_end,
	.release = summary_release,
};
