/*
 * valgrind_arena.h - how much room valgrind's own allocator would have given to each block:
 * what Massif counts as extra heap, to the byte. A block has usually its size rounded
 * up to 16; but where that allocator found a hole with 16 bytes too many, it gives them as
 * well, and a block that is a superblock of its own gets whole pages. So the figure depends on
 * all that was allocated and freed before.
 *
 * Modelled is VG_AR_CLIENT of valgrind 3.11 to 3.25 on a 64-bit machine under a tool
 * without red zones, as Massif: the choice among free blocks (112 lists by size, the
 * block with the lowest address among the neighbours of the last one), splitting,
 * merging, memalign, superblocks. Where superblocks lie is modelled as the lowest
 * place that is free; where the program's own mappings lie between them is not known.
 */
#ifndef MODEL_VALGRIND_ARENA_H
#define MODEL_VALGRIND_ARENA_H

#include <stdbool.h>
#include <stdint.h>

struct valgrind_arena;

struct valgrind_arena *valgrind_arena_new(void);
void valgrind_arena_free(struct valgrind_arena *a);

/* A block of SIZE bytes, ALIGNMENT (0: none asked for), which the program knows as ADDR. */
void valgrind_arena_acquire(struct valgrind_arena *a, uint64_t addr, uint64_t alignment,
			    uint64_t size);

/* The block at ADDR goes. One that is not known is left out. */
void valgrind_arena_release(struct valgrind_arena *a, uint64_t addr);

/* The block at OLD becomes one of SIZE at ADDR: in its place where it fits, else moved. */
void valgrind_arena_resize(struct valgrind_arena *a, uint64_t old, uint64_t addr, uint64_t size);

/* Sum over live blocks of their room and 8 bytes: mem_heap_B + mem_heap_extra_B. */
uint64_t valgrind_arena_measure(const struct valgrind_arena *a);

/* A larger block is a superblock of its own. */
#define VALGRIND_SPLIT_MAX (((uint64_t)4 << 20) - 64)

/*
 * The room of a block of SIZE bytes where nothing is known of the others: SIZE rounded up to
 * 16, or so that it fills whole pages where it is a superblock of its own.
 */
uint64_t valgrind_room(uint64_t size);

#endif
