/*
 * touched_freed.c - see touched_freed.h. Sites whose call stacks read alike are one row.
 */
#include "forms/touched_freed.h"

#include <stdlib.h>

#include "base/idmap.h"
#include "base/xmem.h"
#include "forms/stack_text.h"

/* Text beside the name of the site. */
#define FIGURES_WIDTH 55

enum {
	FREED_KIND, FREED_BLOCKS, FREED_LOOKED, FREED_ASKED, FREED_RESIDENT, FREED_UNTOUCHED,
	FREED_FUNCTION, FREED_FILE, FREED_LINE, FREED_STACK, FREED_MAPPED, FREED_PID, FREED_EXEC,
	FREED_COLS,
};

#define MACHINE (SHOW_CSV | SHOW_JSON)

static const struct column columns[FREED_COLS] = {
	[FREED_KIND] = { "kind", NULL, COLUMN_TEXT, MACHINE, false, NULL },
	[FREED_BLOCKS] = { "blocks", "freed", COLUMN_COUNT, 0, false, NULL },
	[FREED_LOOKED] = { "looked", "looked at", COLUMN_COUNT, 0, false, NULL },
	[FREED_ASKED] = { "asked", "asked", COLUMN_BYTES, 0, false, NULL },
	[FREED_RESIDENT] = { "resident", "resident <=", COLUMN_BYTES, 0, false, NULL },
	[FREED_UNTOUCHED] = { "untouched", "untouched >=", COLUMN_BYTES, 0, false, NULL },
	[FREED_FUNCTION] = { "function", "allocation site", COLUMN_TEXT, 0, false, NULL },
	[FREED_FILE] = { "file", NULL, COLUMN_TEXT, MACHINE, false, NULL },
	[FREED_LINE] = { "line", NULL, COLUMN_EXACT, MACHINE, false, NULL },
	[FREED_STACK] = { "stack", NULL, COLUMN_TEXT, MACHINE, false, NULL },
	[FREED_MAPPED] = { "mapped", NULL, COLUMN_COUNT, MACHINE, false, NULL },
	[FREED_PID] = { "pid", NULL, COLUMN_EXACT, MACHINE, false, NULL },
	[FREED_EXEC] = { "exec", NULL, COLUMN_EXACT, MACHINE, false, NULL },
};

struct line {
	frame_node node;
	const struct image *image;
	struct freed_row sum;
};

struct lines {
	struct line *items;
	size_t count, capacity;
	bool has_any, has_estimates, has_recycled, has_swap; /* for the notes */
};

static bool is_looking(const struct image *image)
{
	return image->features & FEATURE_FREED_LOOKS;
}

bool touched_freed_is_recorded(struct run *run)
{
	const struct recording *r = run->recording;
	bool has_glibc = false;

	for (size_t i = 0; i < r->image_count; i++) {
		if (!run_shows(run, r->images[i].number))
			continue;
		if (is_looking(&r->images[i]))
			return true;
		has_glibc |= (r->images[i].features & FEATURE_GLIBC_MALLOC) != 0;
	}
	if (has_glibc)
		diag_set(run->diag, STATUS_USAGE, "what was touched of released blocks was not recorded: "
			 "record does that by default, without --no-touched and outside of seccomp filters "
			 "that it could not try itself");
	else
		diag_set(run->diag, STATUS_USAGE, "what was touched of released blocks is recorded of "
			 "glibc's malloc only, and this program has another one");
	return false;
}

/* The lines of HEAP's image. */
static void add_lines(struct lines *l, struct frame_tree *tree, const struct freed_pages *f,
		      const struct heap *heap, uint32_t depth)
{
	struct idmap index = { 0 };

	for (size_t i = 0; i < f->count; i++) {
		const struct freed_row *row = &f->rows[i];
		frame_node node;
		uint32_t at, next = (uint32_t)l->count + 1;

		if (row->heap->image != heap->image || row->site >= heap->site_count)
			continue;
		node = frame_tree_site_cut(tree, heap->sites[row->site].stack, false, depth);
		at = idmap_add(&index, (uint64_t)node + 1, next);
		if (at == next) {
			xgrow(&l->items, &l->capacity, l->count, sizeof(*l->items));
			l->items[l->count++] = (struct line){ .node = node, .image = heap->image };
		}
		freed_row_sum(&l->items[at - 1].sum, row);
	}
	idmap_release(&index);
}

static int compare(const void *pa, const void *pb, void *ctx)
{
	const struct line *a = pa, *b = pb;
	uint64_t ua = freed_row_untouched(&a->sum), ub = freed_row_untouched(&b->sum);

	if (ua != ub)
		return ua > ub ? -1 : 1;
	if (a->sum.freed.bytes != b->sum.freed.bytes)
		return a->sum.freed.bytes > b->sum.freed.bytes ? -1 : 1;
	if (a->image != b->image)
		return a->image->number < b->image->number ? -1 : 1;
	return frame_tree_compare(ctx, a->node, b->node);
}

static void put_line(struct run *run, struct emit *table, const struct frame_tree *tree,
		     const struct line *line)
{
	const struct symbol_frame *f = frame_tree_frame(tree, line->node);
	bool is_text = run->format == EMIT_TEXT;
	size_t width = run->width > 80 ? (size_t)run->width - FIGURES_WIDTH : 80 - FIGURES_WIDTH;
	char *function = is_text ? frame_text_fit(f, width) : frame_function(f);
	char *stack = is_text ? NULL : stack_folded(tree, line->node);
	struct cell cells[FREED_COLS] = {
		[FREED_KIND] = cell_text("heap"),
		[FREED_BLOCKS] = cell_number(line->sum.freed.blocks),
		[FREED_LOOKED] = cell_number(line->sum.looked),
		[FREED_ASKED] = cell_number(line->sum.freed.bytes),
		[FREED_FUNCTION] = cell_text(function),
		[FREED_FILE] = cell_text(f ? f->file : NULL),
		[FREED_STACK] = cell_text(stack),
		[FREED_MAPPED] = cell_number(line->sum.mapped),
		[FREED_PID] = cell_number(line->image->pid),
		[FREED_EXEC] = cell_number(line->image->exec_number),
	};

	if (line->sum.looked > 0) {
		uint64_t untouched = freed_row_untouched(&line->sum);

		cells[FREED_UNTOUCHED] = cell_number(untouched);
		cells[FREED_RESIDENT] = cell_number(line->sum.freed.bytes - untouched);
	}
	if (f && f->line > 0)
		cells[FREED_LINE] = cell_number((uint64_t)f->line);
	emit_row(table, cells);
	free(function);
	free(stack);
}

static void put_table(struct run *run, const struct frame_tree *tree, struct lines *l)
{
	struct emit *table = run_table(run, columns, FREED_COLS);

	if (l->count > 1)
		qsort_r(l->items, l->count, sizeof(*l->items), compare, (void *)tree);
	for (size_t i = 0; i < run_rows(run, l->count); i++)
		put_line(run, table, tree, &l->items[i]);
	emit_free(table);
	if (run->format == EMIT_TEXT && run_rows(run, l->count) < l->count)
		fprintf(run->out, "\n%zu of %zu allocation sites; --top=0 shows all\n",
			run_rows(run, l->count), l->count);
	for (size_t i = 0; i < l->count; i++) {
		l->has_any = true;
		l->has_estimates |= freed_row_is_estimate(&l->items[i].sum);
		l->has_recycled |= l->items[i].sum.mapped < l->items[i].sum.freed.blocks;
	}
}

static bool was_swapped(const struct recording *r, const struct image *image)
{
	for (size_t i = 0; i < r->sample_count; i++)
		if (r->samples[i].image == image->number && r->samples[i].swap > 0)
			return true;
	return false;
}

static void put_notes(struct run *run, const struct lines *l)
{
	if (l->has_recycled)
		run_note(run, "resident: at most so much was touched (in memory that an earlier block had "
			 "used, that block may have done it); untouched: surely never touched, at least "
			 "so much; both exact for blocks with a mapping of their own");
	else if (l->has_any)
		run_note(run, "each of these blocks had a mapping of its own: resident is what was "
			 "touched of it, in whole pages");
	if (l->has_estimates)
		run_note(run, "not every release was looked at: where 'looked at' is less than 'freed', "
			 "resident and untouched are estimates from those that were");
	if (l->has_swap)
		run_note(run, "some of this program's memory was swapped out while it ran: such pages "
			 "count as never touched here");
}

void touched_freed_put(struct run *run, struct frame_tree *tree, const struct freed_pages *f,
		       uint32_t depth)
{
	struct lines all = { 0 };
	bool is_text = run->format == EMIT_TEXT;

	frame_tree_rank(tree);
	for (size_t i = 0; i < run->heap_count; i++) {
		const struct heap *heap = run->heaps[i];
		size_t before = all.count;

		all.has_swap |= was_swapped(run->recording, heap->image);
		add_lines(&all, tree, f, heap, depth);
		/* of many programs most have nothing to tell */
		if (!is_text || (all.count == before && run->heap_count > 1))
			continue;
		if (all.has_any)
			putc('\n', run->out);
		run_put_image(run, heap->image);
		if (!is_looking(heap->image)) {
			fprintf(run->out, "what was touched of its blocks was not recorded\n");
		} else if (all.count == before) {
			fprintf(run->out, "no block of 64 KiB or more was released\n");
		} else {
			fprintf(run->out, "blocks of 64 KiB and more that were released:\n\n");
			put_table(run, tree, &all);
		}
		all.count = before;
	}
	if (!is_text)
		put_table(run, tree, &all);
	else if (run->heap_count != 1 && !all.has_any)
		fprintf(run->out, "no program released a block of 64 KiB or more\n");
	put_notes(run, &all);
	free(all.items);
}
