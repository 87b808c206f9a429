/*
 * served.h - by requested size: where malloc took the memory from, and what free did
 * with it. A request is served
 *
 *	heap    from memory that malloc had: the main heap, without a system call
 *	brk     from the main heap, which grew for it
 *	arena   from a thread's arena (a heap that malloc mapped for threads)
 *	mapped  by a mapping of its own
 *
 * and a block that is freed is kept for later requests, kept while memory at the end of
 * its heap is given back (trimmed), or unmapped. A realloc that keeps its block, or
 * moves a mapping, frees nothing; one that copies frees the old block.
 */
#ifndef MODEL_SERVED_H
#define MODEL_SERVED_H

#include <stddef.h>

#include "model/replay.h"

struct served_row {
	uint64_t size;         /* requested bytes */
	uint64_t calls;        /* that returned a block: heap + brk + arena + mapped */
	uint64_t heap, brk, arena, mapped;
	uint64_t mapped_bytes; /* of the mappings, in whole pages */
	uint64_t maps;         /* calls that `mapped_bytes` is of */
	uint64_t kept_maps;    /* of mapped: SERVED_KEPT_MAP */
	uint64_t kept, trimmed, unmapped;
	uint64_t arena_trimmed; /* of trimmed: the end of a thread's arena, not of the main heap */
};

/*
 * Where an event's request was served from; SERVED_NOT: it was none, or failed. Of an arena:
 * from what it had, or it grew. SERVED_KEPT_MAP: a realloc whose block had a mapping of its own
 * already, and so has it at any size; counted as mapped.
 */
enum served_from {
	SERVED_NOT, SERVED_HEAP, SERVED_BRK, SERVED_ARENA, SERVED_ARENA_GROWN, SERVED_MAPPED,
	SERVED_KEPT_MAP,
};

struct served;

/* STACKS is the replay's, and outlives it. */
struct served *served_new(const struct image *image, const struct stacks *stacks);
void served_free(struct served *s);

/* Every event of the image in order, with what it did. */
enum served_from served_event(struct served *s, const struct event *event,
			      const struct change *change);

/* After the last event: the rows by size, *COUNT of them; they belong to S. */
const struct served_row *served_rows(struct served *s, size_t *count);

/* A row that adds up those of COUNT rows; its size is 0. */
struct served_row served_sum(const struct served_row *rows, size_t count);

#endif
