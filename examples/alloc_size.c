/*
 * alloc_size.c - where a block comes from depends on its size. Five blocks
 * each of 32 KiB, 128 KiB and 256 KiB, with marks before, after the allocation
 * and after the free: "32 KiB", "32 KiB allocated", "32 KiB freed".
 *
 * Look for (allotrope ltrace -S): several blocks of 32 KiB share one brk; from
 * 131,049 bytes on (glibc's mmap threshold) each block is a mapping of its own,
 * 266,240 bytes for 256 KiB, and its free is a munmap of the same length. The
 * states that pmap shows at each mark: allotrope maps -x --at="mark:32 KiB freed".
 */
#include <stdio.h>
#include <stdlib.h>

#include "allotrope.h"

#define BLOCKS 5

static void mark(const char *size, const char *state)
{
	char name[64];

	snprintf(name, sizeof(name), "%s%s", size, state);
	allotrope_mark(name);
}

static void step(const char *size, size_t bytes)
{
	void *blocks[BLOCKS];

	mark(size, "");
	for (int i = 0; i < BLOCKS; i++) {
		blocks[i] = malloc(bytes);
		if (!blocks[i]) {
			perror("malloc");
			exit(1);
		}
	}
	mark(size, " allocated");
	for (int i = 0; i < BLOCKS; i++)
		free(blocks[i]);
	mark(size, " freed");
}

int main(void)
{
	step("32 KiB", 32 * 1024);
	step("128 KiB", 128 * 1024);
	step("256 KiB", 256 * 1024);
	puts("done");
	return 0;
}
