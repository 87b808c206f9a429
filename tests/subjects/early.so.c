/*
 * early.so.c - a library whose constructor allocates before main, large and small, and
 * maps 37 pages, and whose destructor frees: preloaded beside allotrope, in either order.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static char *kept;

__attribute__((constructor(101))) static void begin(void)
{
	kept = calloc(1, 100 * 1024);
	kept = realloc(kept, 200 * 1024);
	memset(kept, 5, 200 * 1024);
	if (mmap(NULL, 37 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		abort();
}

__attribute__((destructor(101))) static void end(void)
{
	if (kept[200 * 1024 - 1] != 5)
		abort();
	free(kept);
}
