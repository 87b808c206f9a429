/*
 * trim.c - when does free give memory back? A heap of 64 blocks of 16 KiB, 1 MiB in all,
 * is freed twice: once with a small block at its end that is still used, then without.
 *
 * Look for (allotrope threshold, allotrope strace --cause): while the last block lives
 * the break stays where it is, although 1 MiB below it is free. Its own free gives all of
 * that back in one brk: only the end of the heap can go, and it goes where the free memory
 * there reaches M_TRIM_THRESHOLD (128 KiB).
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "allotrope.h"

#define BLOCKS 64
#define BYTES (16 << 10)

static void *blocks[BLOCKS];

static void fill(void)
{
	for (int i = 0; i < BLOCKS; i++) {
		blocks[i] = malloc(BYTES);
		if (!blocks[i]) {
			perror("malloc");
			exit(1);
		}
	}
}

static void empty(void)
{
	for (int i = 0; i < BLOCKS; i++)
		free(blocks[i]);
}

int main(void)
{
	static char buffer[4096];
	char *begin = sbrk(0);
	void *last;

	/* printf's own buffer would be a block at the end of the heap */
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	fill();
	last = malloc(2000); /* more than the tcache keeps */
	printf("filled               %4td KiB of heap\n", ((char *)sbrk(0) - begin) >> 10);
	allotrope_mark("pinned");
	empty();
	printf("all but the last     %4td KiB\n", ((char *)sbrk(0) - begin) >> 10);
	allotrope_mark("released");
	free(last);
	printf("the last one too     %4td KiB\n", ((char *)sbrk(0) - begin) >> 10);
	allotrope_mark("again, nothing pinned");
	fill();
	empty();
	printf("once more, unpinned  %4td KiB\n", ((char *)sbrk(0) - begin) >> 10);
	return 0;
}
