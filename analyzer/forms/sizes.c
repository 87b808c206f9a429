/*
 * sizes.c - the report `sizes`: how often each requested size was asked for; the
 * same by glibc's size classes and by powers of two. Counts every call that
 * returned a block, with the size the program asked for (calloc: nmemb * size;
 * realloc: the new size).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/term.h"
#include "base/units.h"
#include "base/xmem.h"
#include "forms/form.h"
#include "model/sizeclass.h"

enum view { VIEW_SIZES, VIEW_CLASSES, VIEW_LOG2 };

struct sizes_state {
	enum view view;
};

/* ---- each size ---- */

enum { COL_TEXT_COUNT, COL_SIZE, COL_COUNT, COL_BYTES, COL_PID, COL_EXEC, COLS };

#define MACHINE (SHOW_CSV | SHOW_JSON)

static const struct column columns[COLS] = {
	/* text reads as `sort -nr | uniq -c` prints it: the count is in front */
	[COL_TEXT_COUNT] = { "count", "count", COLUMN_EXACT, SHOW_TEXT, false, NULL },
	[COL_SIZE] = { "size", "size", COLUMN_EXACT, 0, true, "requested bytes" },
	[COL_COUNT] = { "count", NULL, COLUMN_EXACT, MACHINE, true, "calls that returned such a block" },
	[COL_BYTES] = { "bytes", "bytes", COLUMN_BYTES, 0, true, "requested bytes of all of them" },
	[COL_PID] = { "pid", NULL, COLUMN_EXACT, MACHINE, false, "process" },
	[COL_EXEC] = { "exec", NULL, COLUMN_EXACT, MACHINE, false,
		"program of that process: 0 for the first, 1 after an exec, ..." },
};

static uint64_t size_value(const struct size_row *row, size_t column)
{
	if (column == COL_COUNT)
		return row->count;
	return column == COL_BYTES ? row->bytes : row->size;
}

static int compare_sizes(const void *pa, const void *pb, void *ctx)
{
	const struct sort_order *order = ctx;

	for (size_t i = 0; i < order->count; i++) {
		uint64_t a = size_value(pa, order->keys[i].column);
		uint64_t b = size_value(pb, order->keys[i].column);

		if (a != b)
			return (a < b) == order->keys[i].is_ascending ? -1 : 1;
	}
	return size_value(pa, COL_SIZE) < size_value(pb, COL_SIZE) ? 1 : -1;
}

static void put_sizes(struct run *run, struct emit *table, struct heap *heap)
{
	if (heap->size_count > 1)
		qsort_r(heap->sizes, heap->size_count, sizeof(*heap->sizes),
			compare_sizes, &run->sort);
	for (size_t i = 0; i < run_rows(run, heap->size_count); i++) {
		const struct size_row *row = &heap->sizes[i];
		struct cell cells[COLS] = {
			[COL_TEXT_COUNT] = cell_number(row->count),
			[COL_SIZE] = cell_number(row->size),
			[COL_COUNT] = cell_number(row->count),
			[COL_BYTES] = cell_number(row->bytes),
			[COL_PID] = cell_number(heap->image->pid),
			[COL_EXEC] = cell_number(heap->image->exec_number),
		};

		emit_row(table, cells);
	}
}

/* ---- by size class ---- */

enum {
	CLASS_TEXT_RANGE, CLASS_FROM, CLASS_TO, CLASS_CHUNK, CLASS_BIN, CLASS_BLOCKS,
	CLASS_BYTES, CLASS_USABLE, CLASS_WASTE, CLASS_PERCENT, CLASS_PID, CLASS_EXEC,
	CLASS_COLS,
};

static const struct column class_columns[CLASS_COLS] = {
	[CLASS_TEXT_RANGE] = { "range", "requested", COLUMN_TEXT, SHOW_TEXT, false, NULL },
	[CLASS_FROM] = { "from", NULL, COLUMN_EXACT, MACHINE, false, "smallest request of the class, bytes" },
	[CLASS_TO] = { "to", NULL, COLUMN_EXACT, MACHINE, false, "largest; empty: no limit" },
	[CLASS_CHUNK] = { "chunk", "chunk", COLUMN_EXACT, 0, false,
		"bytes of a chunk, header included; of the largest where the class has several" },
	[CLASS_BIN] = { "bin", "bin", COLUMN_TEXT, 0, false, "where glibc keeps such chunks when freed" },
	[CLASS_BLOCKS] = { "count", "count", COLUMN_COUNT, 0, false, "blocks" },
	[CLASS_BYTES] = { "bytes", "bytes", COLUMN_BYTES, 0, false, "requested bytes" },
	[CLASS_USABLE] = { "usable_bytes", "usable", COLUMN_BYTES, 0, false, "what the allocator gave" },
	[CLASS_WASTE] = { "waste_bytes", "waste", COLUMN_BYTES, 0, false,
		"usable - requested bytes; headers (8 bytes a chunk) come on top" },
	[CLASS_PERCENT] = { "waste_percent", "% waste", COLUMN_PERCENT, 0, false, "of the usable bytes" },
	[CLASS_PID] = { "pid", NULL, COLUMN_EXACT, MACHINE, false, "process" },
	[CLASS_EXEC] = { "exec", NULL, COLUMN_EXACT, MACHINE, false, "program of that process" },
};

static void put_class(struct emit *table, const struct heap *heap,
		      const struct size_class *class, const struct size_row *sum)
{
	char from[UNITS_MAX], to[UNITS_MAX];
	bool has_limit = class->max_request != UINT64_MAX;
	char *range = xasprintf("%s - %s", units_count(from, class->min_request),
				has_limit ? units_count(to, class->max_request) : "...");
	char *bin = xasprintf("%s%s", class->in_tcache ? "tcache, " : "",
			      size_class_bin_name((enum size_class_bin)class->bin));
	uint64_t waste = sum->usable_bytes > sum->bytes ? sum->usable_bytes - sum->bytes : 0;
	struct cell cells[CLASS_COLS] = {
		[CLASS_TEXT_RANGE] = cell_text(range),
		[CLASS_FROM] = cell_number(class->min_request),
		[CLASS_TO] = { .is_known = has_limit, .number = class->max_request },
		[CLASS_CHUNK] = { .is_known = class->max_chunk != UINT64_MAX,
				  .number = class->max_chunk },
		[CLASS_BIN] = cell_text(bin),
		[CLASS_BLOCKS] = cell_number(sum->count),
		[CLASS_BYTES] = cell_number(sum->bytes),
		[CLASS_USABLE] = cell_number(sum->usable_bytes),
		[CLASS_WASTE] = cell_number(waste),
		[CLASS_PERCENT] = cell_real(sum->usable_bytes ?
			100.0 * (double)waste / (double)sum->usable_bytes : 0),
		[CLASS_PID] = cell_number(heap->image->pid),
		[CLASS_EXEC] = cell_number(heap->image->exec_number),
	};

	emit_row(table, cells);
	free(range);
	free(bin);
}

/* heap->sizes is ascending, and so are the classes. */
static void put_classes(struct emit *table, const struct heap *heap)
{
	struct size_class class = { 0 };
	struct size_row sum = { 0 };

	for (size_t i = 0; i < heap->size_count; i++) {
		const struct size_row *row = &heap->sizes[i];
		struct size_class of = size_class_of(row->size, SIZE_CLASS_MMAP_THRESHOLD);

		if (sum.count > 0 && of.order != class.order) {
			put_class(table, heap, &class, &sum);
			sum = (struct size_row){ 0 };
		}
		class = of;
		sum.count += row->count;
		sum.bytes += row->bytes;
		sum.usable_bytes += row->usable_bytes;
	}
	if (sum.count > 0)
		put_class(table, heap, &class, &sum);
}

/* ---- by powers of two ---- */

enum { LOG_FROM, LOG_TO, LOG_BLOCKS, LOG_BYTES, LOG_PID, LOG_EXEC, LOG_COLS };

static const struct column log_columns[LOG_COLS] = {
	[LOG_FROM] = { "from", "from", COLUMN_EXACT, 0, false, "smallest requested size, bytes" },
	[LOG_TO] = { "to", "to", COLUMN_EXACT, 0, false, "largest" },
	[LOG_BLOCKS] = { "count", "count", COLUMN_COUNT, 0, false, "blocks" },
	[LOG_BYTES] = { "bytes", "bytes", COLUMN_BYTES, 0, false, "requested bytes" },
	[LOG_PID] = { "pid", NULL, COLUMN_EXACT, MACHINE, false, "process" },
	[LOG_EXEC] = { "exec", NULL, COLUMN_EXACT, MACHINE, false, "program of that process" },
};

/* Row 0 holds size 0, row n the sizes from 2^(n-1) to 2^n - 1. */
#define LOG_ROWS 65

static unsigned log_row(uint64_t size)
{
	return size ? 64 - (unsigned)__builtin_clzll(size) : 0;
}

static uint64_t log_from(unsigned row)
{
	return row ? (uint64_t)1 << (row - 1) : 0;
}

static uint64_t log_to(unsigned row)
{
	return row ? ((uint64_t)1 << (row - 1)) * 2 - 1 : 0;
}

/* Size as a short word: 512, 4K, 64M. */
static const char *short_size(char *buffer, uint64_t size)
{
	static const char units[] = " KMGTPE";
	size_t unit = 0;

	while (size >= 1024 && size % 1024 == 0) {
		size /= 1024;
		unit++;
	}
	snprintf(buffer, UNITS_MAX, unit ? "%" PRIu64 "%c" : "%" PRIu64, size, units[unit]);
	return buffer;
}

static void put_histogram(struct run *run, const struct size_row *rows,
			  unsigned first, unsigned last)
{
	bool by_bytes = run->sort.keys[0].column == COL_BYTES;
	int bar_width = run->width - 42;
	uint64_t most = 1;

	if (bar_width > 60)
		bar_width = 60;
	for (unsigned i = first; i <= last; i++) {
		uint64_t value = by_bytes ? rows[i].bytes : rows[i].count;

		if (value > most)
			most = value;
	}
	fprintf(run->out, "%s%14s %12s %12s  %s%s\n", term_style(run->color, STYLE_HEAD),
		"requested", "count", "bytes", by_bytes ? "by bytes" : "by count",
		term_plain(run->color));
	for (unsigned i = first; i <= last; i++) {
		char from[UNITS_MAX], to[UNITS_MAX], range[2 * UNITS_MAX + 4];
		char count[UNITS_MAX], bytes[UNITS_MAX];
		uint64_t value = by_bytes ? rows[i].bytes : rows[i].count;
		int bar = (int)((double)value / (double)most * bar_width + 0.5);

		/* what is there is seen */
		if (value > 0 && bar == 0)
			bar = 1;
		if (i < 2)
			snprintf(range, sizeof(range), "%u", i);
		else
			snprintf(range, sizeof(range), "%s .. <%s",
				 short_size(from, log_from(i)),
				 short_size(to, log_to(i) + 1));
		fprintf(run->out, "%14s %12s %12s%s%s", i == 64 ? "2^63 .." : range,
			units_count(count, rows[i].count), units_bytes(bytes, rows[i].bytes),
			bar ? "  " : "", term_style(run->color, STYLE_GOOD));
		for (int b = 0; b < bar; b++)
			putc('#', run->out);
		fprintf(run->out, "%s\n", term_plain(run->color));
	}
}

static void put_log2(struct run *run, struct emit *table, const struct heap *heap)
{
	struct size_row rows[LOG_ROWS] = { 0 };
	unsigned first = LOG_ROWS, last = 0;

	for (size_t i = 0; i < heap->size_count; i++) {
		unsigned row = log_row(heap->sizes[i].size);

		rows[row].count += heap->sizes[i].count;
		rows[row].bytes += heap->sizes[i].bytes;
		if (row < first)
			first = row;
		last = row;
	}
	if (heap->size_count == 0)
		return;
	if (run->format == EMIT_TEXT) {
		put_histogram(run, rows, first, last);
		return;
	}
	for (unsigned i = first; i <= last; i++) {
		struct cell cells[LOG_COLS] = {
			[LOG_FROM] = cell_number(log_from(i)),
			[LOG_TO] = cell_number(log_to(i)),
			[LOG_BLOCKS] = cell_number(rows[i].count),
			[LOG_BYTES] = cell_number(rows[i].bytes),
			[LOG_PID] = cell_number(heap->image->pid),
			[LOG_EXEC] = cell_number(heap->image->exec_number),
		};

		emit_row(table, cells);
	}
}

/* ---- the form ---- */

static struct emit *open_table(struct run *run)
{
	const struct sizes_state *s = run->state;

	switch (s->view) {
	case VIEW_CLASSES:
		return run_table(run, class_columns, CLASS_COLS);
	case VIEW_LOG2:
		/* a drawing in text: put_histogram */
		return run->format == EMIT_TEXT ? NULL :
		       run_table(run, log_columns, LOG_COLS);
	default:
		return run_table(run, columns, COLS);
	}
}

static void put_heap(struct run *run, struct emit *table, struct heap *heap)
{
	const struct sizes_state *s = run->state;

	switch (s->view) {
	case VIEW_CLASSES:
		put_classes(table, heap);
		break;
	case VIEW_LOG2:
		put_log2(run, table, heap);
		break;
	default:
		put_sizes(run, table, heap);
		break;
	}
}

static void put_foreign(struct run *run, const struct image *image)
{
	const struct sizes_state *s = run->state;

	if (s->view == VIEW_CLASSES && !(image->features & FEATURE_GLIBC_MALLOC))
		fprintf(run->out, "%sThis program's allocator is not glibc's: the classes are only "
			"a way of grouping.%s\n", term_style(run->color, STYLE_FAINT),
			term_plain(run->color));
}

static bool is_empty(const struct run *run)
{
	for (size_t i = 0; i < run->heap_count; i++)
		if (run->heaps[i]->size_count > 0)
			return false;
	return true;
}

static int sizes_end(struct run *run)
{
	struct emit *table;

	if (run->has_window && is_empty(run))
		run_note(run, "nothing happened in this window: no block was requested");
	if (run->format == EMIT_TEXT) {
		for (size_t i = 0; i < run->heap_count; i++) {
			if (i > 0)
				putc('\n', run->out);
			run_put_image(run, run->heaps[i]->image);
			table = open_table(run);
			put_heap(run, table, run->heaps[i]);
			emit_free(table);
			put_foreign(run, run->heaps[i]->image);
		}
		return 0;
	}
	table = open_table(run);
	for (size_t i = 0; i < run->heap_count; i++)
		put_heap(run, table, run->heaps[i]);
	emit_free(table);
	return 0;
}

enum { KEY_CLASSES = 0x200, KEY_LOG2 };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const struct form_input *input = state->input;
	struct sizes_state *s = input->state;

	(void)arg;
	switch (key) {
	case KEY_CLASSES:
	case KEY_LOG2:
		if (s->view != VIEW_SIZES)
			form_usage_error(state, "--classes and --log2 exclude each other");
		s->view = key == KEY_CLASSES ? VIEW_CLASSES : VIEW_LOG2;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "classes", KEY_CLASSES, NULL, 0,
	  "A row for each size class of glibc's malloc, with what rounding up wastes", 0 },
	{ "log2", KEY_LOG2, NULL, 0,
	  "A histogram by powers of two; --sort=bytes draws bytes instead of counts", 0 },
	{ 0 },
};

static const struct argp argp = { .options = options, .parser = parse };

const struct form form_sizes = {
	.name = "sizes",
	.summary = "how often each size was requested; by size class; as a histogram",
	.needs = NEED_HEAP | NEED_SIZES,
	.options = &argp,
	.doc = "Requested sizes of the blocks that malloc and its relatives returned, largest "
	       "first. Sort by size, count or bytes.",
	.columns = columns,
	.column_count = COLS,
	.default_sort = "size",
	.state_size = sizeof(struct sizes_state),
	.end = sizes_end,
};
