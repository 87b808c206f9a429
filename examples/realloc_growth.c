/*
 * realloc_growth.c - does growing a large array copy it? An array of 64 KiB is doubled by
 * realloc until it has 64 MiB, and written at each step.
 *
 * Look for (allotrope strace): once the block is a mapping of its own, each realloc is one
 * mremap. The kernel moves the pages to another address by the page table; no byte is
 * copied, however many there are. Only the step from the heap to a mapping copies.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allotrope.h"

#define FIRST ((size_t)64 << 10)
#define LAST ((size_t)64 << 20)

int main(void)
{
	int grown = 0, moved = 0;
	char *array = malloc(FIRST);

	if (!array)
		goto none;
	memset(array, 1, FIRST);
	allotrope_mark("grow");
	for (size_t bytes = FIRST; bytes < LAST; bytes *= 2) {
		uintptr_t before = (uintptr_t)array;
		char *larger = realloc(array, 2 * bytes);

		if (!larger)
			goto none;
		array = larger;
		grown++;
		moved += (uintptr_t)array != before;
		memset(array + bytes, 1, bytes);
	}
	allotrope_mark("grown");
	free(array);
	printf("doubled %d times, moved %d times\n", grown, moved);
	return 0;
none:
	perror("realloc");
	free(array);
	return 1;
}
