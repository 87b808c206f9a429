/*
 * mappings.h - the memory that a program mapped itself: disjoint address ranges,
 * each a part of one mapping. A mapping is one block, and is gone with its last
 * byte.
 *
 * Ranges are taken out when a system call begins (another thread may be given
 * the addresses before the call's end is stamped) and put back where it fails.
 * Addresses here are in whole pages; this file does not round.
 */
#ifndef MODEL_MAPPINGS_H
#define MODEL_MAPPINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/replay.h"

/* One call of mmap (or mremap) that gave memory. */
struct mapping {
	uint64_t birth_stamp;
	uint64_t bytes_left;  /* not yet given back for good */
	uint32_t holders;     /* ranges and pieces that point here */
	uint32_t stream;
	site_id site;
	struct mapping *copy; /* made by the last mappings_copy, */
	const void *copy_in;  /* into these mappings */
};

/* Addresses [start, end) of MAPPING that have been taken out. */
struct mapping_piece {
	uint64_t start, end;
	struct mapping *mapping;
};

struct mapping_pieces {
	struct mapping_piece *items;
	size_t count, capacity;
};

/* All zero is empty. */
struct mappings {
	void *ranges;         /* tsearch tree of struct mapping_piece */
	size_t count;
};

void mappings_release(struct mappings *m);

/*
 * Take all that is mapped in [START, END) out and append it to PIECES, in no
 * order. What lies only partly inside is cut.
 */
void mappings_take(struct mappings *m, uint64_t start, uint64_t end,
		   struct mapping_pieces *pieces);

/*
 * Put back what mappings_take took and empty PIECES. Addresses that were given to
 * others meanwhile stay theirs.
 */
void mappings_restore(struct mappings *m, struct mapping_pieces *pieces);

/*
 * PIECE is given back for good. Returns true where it was the last byte of its
 * mapping; the mapping is then freed: use piece->mapping before.
 */
bool mapping_piece_end(struct mapping_piece *piece);

/* A new mapping of [START, END), which must be free (mappings_take) and not empty. */
void mappings_add(struct mappings *m, uint64_t start, uint64_t end,
		  uint64_t birth_stamp, site_id site, uint32_t stream);

/* Fill TO, which is empty, with a copy of FROM, each site number replaced by SITE. */
void mappings_copy(struct mappings *to, const struct mappings *from,
		   site_id (*site)(site_id from, void *ctx), void *ctx);

/* Call VISIT for each range, by address. */
void mappings_each(const struct mappings *m,
		   void (*visit)(const struct mapping_piece *range, void *ctx),
		   void *ctx);

#endif
