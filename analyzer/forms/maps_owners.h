/*
 * maps_owners.h - which call stacks own the bytes of each mapping, and how much of what they asked
 * for was ever touched.
 */
#ifndef FORMS_MAPS_OWNERS_H
#define FORMS_MAPS_OWNERS_H

#include "forms/address_space.h"
#include "forms/frame_tree.h"

/* Blocks below this are always on pages that neighbours touch: no claim is made of them. */
#define TOUCHED_LEAST 8192

/* What one call stack has in one mapping (or in all of them, owners_join). */
struct owner {
	const struct region_view *region; /* NULL: of all */
	frame_node node;          /* allocation site and its callers */
	uint8_t kind;             /* enum alloc_kind */
	struct amount asked;      /* blocks: of which most lies there; bytes: any part (region_part) */
	/*
	 * On touched pages: of a block in recycled memory an upper bound of what the program
	 * touched. Blocks below TOUCHED_LEAST count whole. Means nothing without pages.
	 */
	uint64_t resident;
};

struct owners {
	struct owner *rows; size_t count;
};

/* All that HEAP has live now, by mapping, largest first. SNAPSHOT may be NULL. TREE outlives it. */
struct owners *owners_new(const struct address_space *a, const struct replay *rp,
			  const struct heap *heap, const struct map_snapshot *snapshot,
			  struct frame_tree *tree);
void owners_free(struct owners *o);

/* Add up the rows of the same call stack and kind: by asked bytes, largest first. */
void owners_join(struct owners *o, const struct frame_tree *tree);

#endif
