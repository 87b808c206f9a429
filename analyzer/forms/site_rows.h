/*
 * site_rows.h - the sites of a heap as rows of a table: sites whose call stacks
 * read alike are one row, wrappers of the allocator left out.
 */
#ifndef FORMS_SITE_ROWS_H
#define FORMS_SITE_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "forms/form.h"
#include "forms/frame_tree.h"
#include "model/lifetimes.h"

struct site_row {
	frame_node node;          /* allocation site and its callers */
	uint8_t kind;             /* enum alloc_kind */
	const struct image *image;
	struct amount total, freed, peak, end, temporary; /* as in struct site */
	struct lifetime life;     /* site_rows_add_lives; else 0 */
};

struct site_rows {
	struct site_row *rows;
	size_t count;
};

/*
 * The rows of HEAP, in no order. DEPTH: stacks are cut to so many innermost
 * frames before they are compared; 0: whole. TREE outlives the rows.
 */
struct site_rows *site_rows_new(struct frame_tree *tree, const struct heap *heap,
				uint32_t depth);

/* The same with sites of which a window has nothing but releases. */
struct site_rows *site_rows_released(struct frame_tree *tree, const struct heap *heap,
				     uint32_t depth);

/* Rows by the function outside the C++ standard library alone (frame_tree_user). */
struct site_rows *site_rows_users(struct frame_tree *tree, const struct heap *heap);

void site_rows_free(struct site_rows *s);

/* Fill in how long the blocks of the rows lived. TREE, HEAP, DEPTH as for site_rows_new; L by site. */
void site_rows_add_lives(struct site_rows *s, struct frame_tree *tree, const struct heap *heap,
			 uint32_t depth, const struct lifetimes *l);

/* Add the rows of FROM (which becomes empty) to those of TO. */
void site_rows_append(struct site_rows *to, struct site_rows *from);

/*
 * Put the first WANTED rows (0: all) in order in front; the others follow in no
 * order. Sorted by what VALUE gives for a key; larger first unless the key is ascending. TEXT columns
 * (VALUE is not asked) compare by call stack. Ties: by call stack, kind, image.
 */
void site_rows_sort(struct site_rows *s, struct frame_tree *tree, size_t wanted,
		    const struct sort_order *order, const struct column *columns,
		    uint64_t (*value)(const struct site_row *row, size_t column));

#endif
