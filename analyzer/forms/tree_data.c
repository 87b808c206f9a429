/*
 * tree_data.c - see tree_data.h. JSON is written by hand where its structure is concerned,
 * because the whole of it can be larger than memory; its texts are jansson's.
 */
#include "forms/tree_data.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/xmem.h"
#include "forms/stack_text.h"

enum {
	COL_PID, COL_EXEC, COL_KIND, COL_CALL, COL_CALLER, COL_DEPTH, COL_BYTES, COL_BLOCKS,
	COL_PERCENT, COL_SELF_BYTES, COL_SELF_BLOCKS, COL_FUNCTION, COL_FILE, COL_LINE, COL_INLINED,
	COL_MODULE, COL_MORE, COL_COUNT,
};

static const struct column columns[COL_COUNT] = {
	[COL_PID] = { "pid", NULL, COLUMN_EXACT, SHOW_CSV, false, "process" },
	[COL_EXEC] = { "exec", NULL, COLUMN_EXACT, SHOW_CSV, false, "its program, from 0" },
	[COL_KIND] = { "kind", NULL, COLUMN_TEXT, SHOW_CSV, false, "heap or mapping" },
	[COL_CALL] = { "call", NULL, COLUMN_EXACT, SHOW_CSV, false, "number of the row, from 1" },
	[COL_CALLER] = { "parent", NULL, COLUMN_EXACT, SHOW_CSV, false,
		"the row that it is under; 0: none" },
	[COL_DEPTH] = { "depth", NULL, COLUMN_EXACT, SHOW_CSV, false, "from 1" },
	[COL_BYTES] = { "bytes", NULL, COLUMN_EXACT, SHOW_CSV, false, "with all that is under it" },
	[COL_BLOCKS] = { "blocks", NULL, COLUMN_EXACT, SHOW_CSV, false, "likewise" },
	[COL_PERCENT] = { "percent", NULL, COLUMN_PERCENT, SHOW_CSV, false, "of the metric's total" },
	[COL_SELF_BYTES] = { "self_bytes", NULL, COLUMN_EXACT, SHOW_CSV, false, "its own" },
	[COL_SELF_BLOCKS] = { "self_blocks", NULL, COLUMN_EXACT, SHOW_CSV, false, "its own" },
	[COL_FUNCTION] = { "function", NULL, COLUMN_TEXT, SHOW_CSV, false,
		"its name; empty: no call stack, or a row of several calls" },
	[COL_FILE] = { "file", NULL, COLUMN_TEXT, SHOW_CSV, false, "of the source" },
	[COL_LINE] = { "line", NULL, COLUMN_EXACT, SHOW_CSV, false, "in the file" },
	[COL_INLINED] = { "inlined", NULL, COLUMN_EXACT, SHOW_CSV, false,
		"1: put into its caller by the compiler" },
	[COL_MODULE] = { "module", NULL, COLUMN_TEXT, SHOW_CSV, false, "object" },
	[COL_MORE] = { "more", NULL, COLUMN_EXACT, SHOW_CSV, false,
		"calls that were left out and are added up in this row" },
};

struct tree_data {
	struct run *run;
	struct emit *table;     /* CSV */
	uint64_t rows;
	size_t trees;
	/* of the tree that is written: */
	const struct call_tree *tree;
	const struct tree_limits *limits;
	const struct tree_label *label;
	uint64_t *numbers;      /* CSV: row of each node */
};

struct tree_data *tree_data_new(struct run *run)
{
	struct tree_data *d = xcalloc(1, sizeof(*d));

	d->run = run;
	if (run->format == EMIT_CSV)
		d->table = run_table(run, columns, COL_COUNT);
	else
		putc('[', run->out);
	return d;
}

void tree_data_free(struct tree_data *d)
{
	if (d->table)
		emit_free(d->table);
	else
		fputs(d->trees ? "\n]\n" : "]\n", d->run->out);
	free(d);
}

static double percent_of(const struct tree_data *d, struct amount amount)
{
	uint64_t whole = metric_of(call_tree_total(d->tree), d->label->metric);

	return whole ? 100.0 * (double)metric_of(amount, d->label->metric) / (double)whole : 0;
}

/* The line of F (may be NULL) where it is known and means something, else 0. */
static int line_of(const struct tree_data *d, const struct symbol_frame *f)
{
	return f && d->label->by_line && f->line > 0 ? f->line : 0;
}

/* ---- CSV ---- */

/* The cells that a row of any kind under PARENT has. */
static void fill_row(struct tree_data *d, struct cell *cells, uint32_t parent, struct amount amount)
{
	cells[COL_PID] = cell_number(d->label->image->pid);
	cells[COL_EXEC] = cell_number(d->label->image->exec_number);
	cells[COL_KIND] = cell_text(d->label->kind == KIND_HEAP ? "heap" : "mapping");
	cells[COL_CALL] = cell_number(++d->rows);
	cells[COL_CALLER] = cell_number(d->numbers[parent]);
	cells[COL_DEPTH] = cell_number(call_tree_node(d->tree, parent)->depth + 1);
	cells[COL_BYTES] = cell_number(amount.bytes);
	cells[COL_BLOCKS] = cell_number(amount.blocks);
	cells[COL_PERCENT] = cell_real(percent_of(d, amount));
}

static void enter_csv(void *ctx, uint32_t node)
{
	struct tree_data *d = ctx;
	const struct call_node *n = call_tree_node(d->tree, node);
	const struct symbol_frame *f = call_tree_frame(d->tree, node);
	struct cell cells[COL_COUNT] = { 0 };
	char *function;

	if (node == 0)
		return;
	fill_row(d, cells, n->parent, n->total);
	d->numbers[node] = d->rows;
	function = frame_function(f);
	cells[COL_SELF_BYTES] = cell_number(n->self.bytes);
	cells[COL_SELF_BLOCKS] = cell_number(n->self.blocks);
	cells[COL_FUNCTION] = cell_text(function);
	cells[COL_FILE] = cell_text(f ? f->file : NULL);
	cells[COL_MODULE] = cell_text(f ? f->module : NULL);
	cells[COL_INLINED] = cell_number(n->is_inlined);
	if (line_of(d, f))
		cells[COL_LINE] = cell_number((uint64_t)line_of(d, f));
	emit_row(d->table, cells);
	free(function);
}

static void leave_csv(void *ctx, uint32_t node)
{
	struct tree_data *d = ctx;
	struct tree_rest rest = tree_rest(d->tree, d->limits, node);
	struct cell cells[COL_COUNT] = { 0 };

	if (rest.calls == 0)
		return;
	fill_row(d, cells, node, rest.amount);
	cells[COL_MORE] = cell_number(rest.calls);
	emit_row(d->table, cells);
}

/* ---- JSON ---- */

static void put_text(FILE *out, const char *key, const char *text)
{
	json_t *v = json_from_text(text);

	fprintf(out, "\"%s\":", key);
	json_dumpf(v, out, JSON_COMPACT | JSON_ENCODE_ANY);
	putc(',', out);
	json_decref(v);
}

static void put_number(FILE *out, const char *key, uint64_t number)
{
	json_t *v = json_from_number(number);

	fprintf(out, "\"%s\":", key);
	json_dumpf(v, out, JSON_ENCODE_ANY);
	putc(',', out);
	json_decref(v);
}

static void put_amount(FILE *out, struct amount amount)
{
	put_number(out, "bytes", amount.bytes);
	put_number(out, "blocks", amount.blocks);
}

static void enter_json(void *ctx, uint32_t node)
{
	struct tree_data *d = ctx;
	const struct call_node *n = call_tree_node(d->tree, node);
	const struct symbol_frame *f = call_tree_frame(d->tree, node);
	FILE *out = d->run->out;
	char *function;

	/* the base is the object that stands for the tree: it is open already */
	if (node == 0) {
		fputs("\"calls\":[", out);
		return;
	}
	function = frame_function(f);
	fputs(n->place ? ",\n{" : "\n{", out);
	put_text(out, "function", function);
	put_text(out, "file", f ? f->file : NULL);
	if (line_of(d, f))
		put_number(out, "line", (uint64_t)line_of(d, f));
	else
		fputs("\"line\":null,", out);
	put_text(out, "module", f ? f->module : NULL);
	fprintf(out, "\"inlined\":%s,", n->is_inlined ? "true" : "false");
	put_amount(out, n->total);
	fprintf(out, "\"percent\":%.4f,", percent_of(d, n->total));
	put_number(out, "self_bytes", n->self.bytes);
	put_number(out, "self_blocks", n->self.blocks);
	fputs("\"calls\":[", out);
	free(function);
}

static void leave_json(void *ctx, uint32_t node)
{
	struct tree_data *d = ctx;
	struct tree_rest rest = tree_rest(d->tree, d->limits, node);
	FILE *out = d->run->out;

	if (rest.calls > 0)
		fprintf(out, "],\"more\":{\"calls\":%" PRIu32 ",\"bytes\":%" PRIu64 ",\"blocks\":%" PRIu64
			"}}", rest.calls, rest.amount.bytes, rest.amount.blocks);
	else
		fputs("],\"more\":null}", out);
}

static void begin_json(const struct tree_data *d)
{
	const struct image *image = d->label->image;
	FILE *out = d->run->out;
	char *program = image_command(image);

	fputs(d->trees ? ",\n{" : "\n{", out);
	put_text(out, "program", program);
	put_number(out, "pid", image->pid);
	put_number(out, "exec", image->exec_number);
	put_text(out, "kind", d->label->kind == KIND_HEAP ? "heap" : "mapping");
	put_text(out, "metric", metric_name(d->label->metric));
	put_text(out, "direction", d->label->is_bottom_up ? "bottom-up" : "top-down");
	put_amount(out, call_tree_total(d->tree));
	free(program);
}

void tree_data_put(struct tree_data *d, const struct call_tree *t,
		   const struct tree_limits *limits, const struct tree_label *label)
{
	d->tree = t;
	d->limits = limits;
	d->label = label;
	if (d->table) {
		d->numbers = xcalloc(call_tree_count(t), sizeof(*d->numbers));
		tree_walk(t, limits, enter_csv, leave_csv, d);
		free(d->numbers);
	} else {
		begin_json(d);
		tree_walk(t, limits, enter_json, leave_json, d);
	}
	d->trees++;
}
