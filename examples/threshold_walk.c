/*
 * threshold_walk.c - where is the boundary between heap and mappings, and does it
 * stay there? Halves the distance between a size that comes from the heap and one that
 * gets a mapping of its own until they are neighbours, walks over the boundary byte by
 * byte, frees the block just behind it, and looks again. Blocks are kept until then: a
 * free one would serve the next request.
 *
 * usage: threshold_walk [MMAP_THRESHOLD]    set it by mallopt first
 *
 * Look for (allotrope threshold): the smallest request with a mapping of its own is
 * 131,049 bytes (131,072 with the header of the chunk, rounded up to 16). Freeing it
 * moves the threshold to the size of that mapping, 135,168: now 135,145 is the smallest.
 * Then with GLIBC_TUNABLES=glibc.malloc.mmap_threshold=65536, or with an argument: the
 * boundary is elsewhere, and stays there.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "allotrope.h"

#define LARGEST (64 << 20)
#define WALK 20
#define HEAP_GROWTH (132 << 10)

/* glibc keeps the size of a chunk before its block, and in the low bits what it is. */
static int has_own_mapping(const void *block)
{
	return ((const size_t *)block)[-1] & 2;
}

static void *ask(size_t bytes)
{
	void *block = malloc(bytes);

	if (!block) {
		perror("malloc");
		exit(1);
	}
	return block;
}

/* Several: what is free at the end of the heap (up to 132 KiB and one block) serves the first. */
static int is_mapped(size_t bytes)
{
	for (size_t served = 0; served <= HEAP_GROWTH; served += bytes)
		ask(bytes);
	return has_own_mapping(ask(bytes));
}

/* The smallest request that gets a mapping of its own. */
static size_t boundary(void)
{
	size_t heap = 1, mapped = LARGEST;

	while (mapped - heap > 1) {
		size_t middle = heap + (mapped - heap) / 2;

		if (is_mapped(middle))
			mapped = middle;
		else
			heap = middle;
	}
	return mapped;
}

/* Over the boundary; the first block behind it. */
static void *walk(size_t bytes)
{
	for (size_t size = bytes > WALK ? bytes - WALK : 1; size < bytes; size++)
		ask(size);
	return ask(bytes);
}

int main(int argc, char **argv)
{
	size_t first, second;
	void *block;

	if (argc > 1 && !mallopt(M_MMAP_THRESHOLD, atoi(argv[1]))) {
		fputs("usage: threshold_walk [MMAP_THRESHOLD]\n", stderr);
		return 2;
	}
	allotrope_mark("first walk");
	first = boundary();
	block = walk(first);

	allotrope_mark("free");
	free(block);

	allotrope_mark("second walk");
	second = boundary();
	walk(second);
	printf("mappings begin at %zu bytes; after the free of one: at %zu\n", first, second);
	return 0;
}
