/*
 * tree.c - a program with as many call stacks as allocations.
 * usage: tree DEPTH COUNT
 * Walks a tree of calls, three ways at each of DEPTH levels (3^DEPTH possible
 * stacks): each visit allocates a block, walks on, and frees it, until COUNT
 * blocks were made. Neighbouring events differ by a frame or two.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static long left_to_make;
static uint32_t seed = 12345;

static void visit(int depth);

#define WAY(name) \
	__attribute__((noinline)) static void name(int depth) \
	{ \
		visit(depth); \
		__asm__ volatile("" ::: "memory"); /* no tail call */ \
	}
WAY(first)
WAY(second)
WAY(third)

__attribute__((always_inline)) static inline void visit(int depth)
{
	void *block;

	if (left_to_make <= 0)
		return;
	left_to_make--;
	seed = seed * 1664525u + 1013904223u;
	block = malloc(16 + (seed >> 8) % 256);
	if (depth > 0) {
		first(depth - 1);
		second(depth - 1);
		third(depth - 1);
	}
	free(block);
}

int main(int argc, char **argv)
{
	int depth;

	if (argc != 3 || (depth = atoi(argv[1])) < 1) {
		fprintf(stderr, "usage: tree DEPTH COUNT\n");
		return 2;
	}
	left_to_make = atol(argv[2]);
	while (left_to_make > 0) /* shallow trees end before COUNT */
		first(depth);
	return 0;
}
