/*
 * leaks.c - the report `leaks`: what is live at the end (or at --at), by call stack, without
 * what suppressions name. With --since only blocks born since then count. Does not
 * claim to know what is still pointed to: that is in the program's memory, not in
 * a recording of its calls. Promises that the columns of CSV begin with
 * blocks,bytes,function,file,line,stack.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/idmap.h"
#include "base/units.h"
#include "base/visible.h"
#include "base/wrap.h"
#include "base/xmem.h"
#include "forms/form.h"
#include "forms/leaks_footer.h"
#include "forms/leaks_known.h"
#include "forms/stack_lines.h"
#include "forms/stack_table.h"

#define KIND_ALL KIND_COUNT

struct leaks_state {
	uint32_t depth;
	bool has_depth;
	unsigned kind;              /* enum alloc_kind or KIND_ALL */
	bool hides_libc;
	bool has_limit;
	uint64_t limit;
	char **paths;               /* of suppressions */
	size_t path_count, path_capacity;
	struct known_leaks known;
	struct frame_tree *tree;
	struct amount shown, hidden;/* live: listed; of the kind that is not listed */
	size_t row_count;
};

enum {
	COL_TEXT_BYTES, COL_BLOCKS, COL_BYTES, COL_TEXT_ALL, COL_FUNCTION, COL_FILE, COL_LINE, COL_STACK,
	COL_KIND, COL_ALL_BLOCKS, COL_ALL_BYTES, COL_PID, COL_EXEC, COL_FRAMES, COL_COUNT,
};

#define MACHINE (SHOW_CSV | SHOW_JSON)

static const struct column columns[COL_COUNT] = {
	[COL_TEXT_BYTES] = { "bytes", "bytes", COLUMN_BYTES, SHOW_TEXT, false, NULL },
	[COL_BLOCKS] = { "blocks", "blocks", COLUMN_COUNT, 0, true, "blocks that are live" },
	[COL_BYTES] = { "bytes", NULL, COLUMN_BYTES, MACHINE, true, "their requested bytes" },
	[COL_TEXT_ALL] = { "all_blocks", "of", COLUMN_COUNT, SHOW_TEXT, false, NULL },
	STACK_COLUMNS(COL_FUNCTION),
	[COL_KIND] = { "kind", "kind", COLUMN_TEXT, 0, false,
		"heap: a block of the allocator; mapping: memory the program mapped itself" },
	[COL_ALL_BLOCKS] = { "all_blocks", NULL, COLUMN_COUNT, MACHINE, true,
		"blocks acquired in all with this call stack, or inherited at a fork" },
	[COL_ALL_BYTES] = { "all_bytes", NULL, COLUMN_BYTES, MACHINE, true, "their bytes" },
	PROCESS_COLUMNS(COL_PID),
};

static uint64_t row_value(const struct site_row *row, size_t column)
{
	switch (column) {
	case COL_BLOCKS:
		return row->end.blocks;
	case COL_ALL_BLOCKS:
		return row->total.blocks;
	case COL_ALL_BYTES:
		return row->total.bytes;
	default:
		return row->end.bytes;
	}
}

/* ---- what is live ---- */

/* Blocks born since the window's begin, by site. */
struct newborn {
	const struct heap *heap;
	struct amount *live;
	uint64_t since;
	struct idmap mappings;   /* birth stamps: a mapping in parts is one */
};

static void count_block(const struct block *b, void *ctx)
{
	struct newborn *n = ctx;
	struct amount weight = replay_weight(n->heap, b);

	if (b->birth_stamp < n->since || b->site >= n->heap->site_count)
		return;
	n->live[b->site].blocks += weight.blocks;
	n->live[b->site].bytes += weight.bytes;
}

static void count_mapping(const struct block *b, void *ctx)
{
	struct newborn *n = ctx;
	uint32_t number = (uint32_t)n->mappings.count + 1;

	if (b->birth_stamp < n->since || b->site >= n->heap->site_count)
		return;
	n->live[b->site].blocks += idmap_add(&n->mappings, b->birth_stamp, number) == number;
	n->live[b->site].bytes += b->size;
}

/* What of HEAP is live, by site; the caller's. */
static struct amount *live_by_site(const struct run *run, const struct heap *heap)
{
	struct amount *live = xcalloc(heap->site_count + 1, sizeof(*live));
	struct newborn n = {
		.heap = replay_image_heap(run->replay, heap->image->number),
		.live = live,
		.since = run->since_stamp,
	};

	for (size_t i = 0; i < heap->site_count && run->since_stamp == 0; i++)
		live[i] = heap->sites[i].end;
	if (run->since_stamp > 0 && n.heap) {
		replay_each_live(run->replay, n.heap, count_block, &n);
		replay_each_mapping(run->replay, n.heap, count_mapping, &n);
		idmap_release(&n.mappings);
	}
	return live;
}

static void add(struct amount *to, struct amount from)
{
	to->blocks += from.blocks;
	to->bytes += from.bytes;
}

/* The rows of HEAP: those of a heap of which only the leaks are live. */
static struct site_rows *make_rows(struct run *run, const struct heap *heap)
{
	struct leaks_state *s = run->state;
	struct amount *live = live_by_site(run, heap);
	struct heap view = *heap;
	struct site_rows *rows;
	size_t kept = 0;

	view.sites = xcalloc(heap->site_count + 1, sizeof(*view.sites));
	for (size_t i = 0; i < heap->site_count; i++) {
		const struct site *site = &heap->sites[i];

		view.sites[i] = (struct site){ .stack = site->stack, .kind = site->kind };
		/* what a forked child inherited is not in its total */
		view.sites[i].total = run->since_stamp ? site->total : (struct amount){
			site->freed.blocks + site->end.blocks, site->freed.bytes + site->end.bytes,
		};
		if (live[i].blocks == 0)
			continue;
		if (s->kind != KIND_ALL && s->kind != site->kind)
			add(&s->hidden, live[i]);
		else if (!known_leaks_has(&s->known, run, heap, i, live[i]))
			view.sites[i].end = live[i];
	}
	rows = site_rows_new(s->tree, &view, s->depth);
	for (size_t i = 0; i < rows->count; i++) {
		if (rows->rows[i].end.blocks == 0)
			continue;
		add(&s->shown, rows->rows[i].end);
		rows->rows[kept++] = rows->rows[i];
	}
	rows->count = kept;
	s->row_count += kept;
	free(view.sites);
	free(live);
	return rows;
}

/* ---- printing ---- */

static void fill_row(const struct run *run, const struct site_row *row, struct cell *cells)
{
	(void)run;
	cells[COL_TEXT_BYTES] = cells[COL_BYTES] = cell_number(row->end.bytes);
	cells[COL_BLOCKS] = cell_number(row->end.blocks);
	cells[COL_TEXT_ALL] = cells[COL_ALL_BLOCKS] = cell_number(row->total.blocks);
	cells[COL_KIND] = cell_text(row->kind == KIND_MAPPING ? "mapping" : "heap");
	cells[COL_ALL_BYTES] = cell_number(row->total.bytes);
}

static const struct stack_table by_stack = {
	columns, COL_COUNT, COL_FUNCTION, COL_PID, row_value, fill_row,
};

static void put_rows(struct run *run, struct site_rows *rows)
{
	const struct leaks_state *s = run->state;

	stack_table_put(run, &by_stack, s->tree, rows, s->has_depth);
}

/* What is meant by live, and how much it is. */
static void put_title(struct run *run, const struct site_rows *rows)
{
	const struct leaks_state *s = run->state;
	struct amount sum = { 0, 0 };
	char count[UNITS_MAX], bytes[UNITS_MAX];
	char *amount, *text, *when;
	size_t used;

	known_leaks_sum(&s->known, &used);
	for (size_t i = 0; i < rows->count; i++)
		add(&sum, rows->rows[i].end);
	amount = leaks_amount(sum);
	when = run->has_at ? visible_text(run->at_text) : xstrdup("the end");
	text = rows->count == 0 ?
	       xasprintf("Nothing%s is live at %s.", used ? " beside what is suppressed" : "", when) :
	       xasprintf("Live at %s%s: %s (%s bytes) by %s call stack%s. Allocated%s and not freed; "
			 "whether something still points to %s is not known.", when,
			 s->kind == KIND_MAPPING ? ", mapped by the program itself" : "", amount,
			 units_count(bytes, sum.bytes), units_count(count, rows->count),
			 leaks_plural(rows->count), run->since_stamp ? " since the moment given" : "",
			 sum.blocks == 1 ? "it" : "them");
	wrap_put(run->out, text, 0, 0, run->width);
	free(amount);
	free(when);
	free(text);
}

static void put_text(struct run *run, const struct heap *heap, struct site_rows *rows)
{
	run_put_image(run, heap->image);
	put_title(run, rows);
	if (rows->count == 0)
		return;
	putc('\n', run->out);
	put_rows(run, rows);
	stack_lines_put_rest(run, rows, columns, row_value);
}

/* ---- under the table ---- */

static void note_hidden(struct run *run)
{
	const struct leaks_state *s = run->state;
	char *amount;

	if (s->hidden.blocks == 0)
		return;
	amount = leaks_amount(s->hidden);
	run_note(run, s->kind == KIND_HEAP ?
		 "memory that the program mapped itself is live too: %s; --kind=all lists it" :
		 "the heap is not listed: %s; --kind=all lists it", amount);
	free(amount);
}

static void judge(struct run *run)
{
	const struct leaks_state *s = run->state;
	char live[UNITS_MAX], limit[UNITS_MAX];

	if (!s->has_limit || s->shown.bytes <= s->limit)
		return;
	run->status = STATUS_CONDITION;
	run_note(run, "exit status 1: %s bytes are live, more than the %s of --error-if",
		 units_count(live, s->shown.bytes), units_count(limit, s->limit));
}

static int leaks_begin(struct run *run)
{
	struct leaks_state *s = run->state;

	if (s->hides_libc)
		known_leaks_add_libc(&s->known);
	for (size_t i = 0; i < s->path_count; i++)
		if (known_leaks_read(&s->known, s->paths[i], run->diag) != 0)
			return -1;
	return 0;
}

static void leaks_watch(struct run *run, const struct event *event, const struct change *change)
{
	struct leaks_state *s = run->state;

	(void)event;
	known_leaks_watch(&s->known, change);
}

static int leaks_end(struct run *run)
{
	struct leaks_state *s = run->state;
	struct site_rows *all = xcalloc(1, sizeof(*all));

	s->tree = frame_tree_new(run->resolver, run->wrappers, run->stacks);
	for (size_t i = 0; i < run->heap_count; i++) {
		struct site_rows *rows = make_rows(run, run->heaps[i]);

		if (run->format == EMIT_TEXT) {
			if (i > 0)
				putc('\n', run->out);
			put_text(run, run->heaps[i], rows);
		} else {
			site_rows_append(all, rows);
		}
		site_rows_free(rows);
	}
	if (run->format != EMIT_TEXT)
		put_rows(run, all);
	site_rows_free(all);
	leaks_put_known(run, &s->known, s->path_count > 0);
	note_hidden(run);
	judge(run);
	return 0;
}

static void leaks_release(struct run *run)
{
	struct leaks_state *s = run->state;

	frame_tree_free(s->tree);
	known_leaks_release(&s->known);
	free(s->paths);
}

/* ---- options ---- */

enum { KEY_SUPPRESSIONS = 0x200, KEY_ERROR_IF, KEY_KIND, KEY_HIDE_LIBC };

static unsigned parse_kind(const struct argp_state *state, const char *text)
{
	if (strcmp(text, "heap") == 0)
		return KIND_HEAP;
	if (strcmp(text, "mapping") == 0)
		return KIND_MAPPING;
	if (strcmp(text, "all") != 0)
		form_usage_error(state, "--kind is heap, mapping or all, not '%s'", text);
	return KIND_ALL;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const struct form_input *input = state->input;
	struct leaks_state *s = input->state;

	switch (key) {
	case 'd':
		s->depth = form_depth(state, arg);
		s->has_depth = true;
		return 0;
	case KEY_SUPPRESSIONS:
		xgrow(&s->paths, &s->path_capacity, s->path_count, sizeof(*s->paths));
		s->paths[s->path_count++] = arg;
		return 0;
	case KEY_ERROR_IF:
		if (units_parse_bytes(arg, &s->limit) != 0)
			form_usage_error(state, "--error-if takes a size, as 0, 4096 or 10K, not '%s'", arg);
		s->has_limit = true;
		return 0;
	case KEY_KIND:
		s->kind = parse_kind(state, arg);
		return 0;
	case KEY_HIDE_LIBC:
		s->hides_libc = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "suppressions", KEY_SUPPRESSIONS, "FILE", 0,
	  "Leave out what FILE names: lines of LeakSanitizer or suppressions of valgrind; can be "
	  "given several times", 0 },
	{ "hide-libc", KEY_HIDE_LIBC, NULL, 0,
	  "Leave out what the C library keeps for itself: buffers of streams, locales, ...", 0 },
	{ "error-if", KEY_ERROR_IF, "BYTES", 0,
	  "Exit with status 1 where more than BYTES are listed", 0 },
	{ "kind", KEY_KIND, "KIND", 0,
	  "heap (default), mapping (memory the program mapped itself) or all", 0 },
	STACK_DEPTH_OPTION,
	{ 0 },
};

static const struct argp argp = { .options = options, .parser = parse };

const struct form form_leaks = {
	.name = "leaks",
	.summary = "what was never freed: live at the end (or --at) by call stack",
	.needs = NEED_HEAP | NEED_SYMBOLS | NEED_REGIONS | NEED_ALL | NEED_BLOCKS,
	.options = &argp,
	.doc = "Blocks that are live at the end, by call stack. Whether something still points to a "
	       "block is not known: a recording has the calls, not the memory. With --since only "
	       "what was allocated since then counts.",
	.columns = columns,
	.column_count = COL_COUNT,
	.default_sort = "bytes",
	.default_top = 20,
	.takes_at = true,
	.state_size = sizeof(struct leaks_state),
	.begin = leaks_begin,
	.watch = leaks_watch,
	.end = leaks_end,
	.release = leaks_release,
};
