/*
 * waits.c - some memory of every kind, then a line on stdout, then until a line comes on stdin.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int main(void)
{
	char *heap = malloc(100000), *large = malloc(1 << 20);
	char *map = mmap(NULL, 1 << 21, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (!heap || !large || map == MAP_FAILED)
		return 1;
	memset(heap, 1, 50000);
	memset(large, 1, 300000);
	memset(map, 1, 700000);
	puts("ready");
	fflush(stdout);
	getchar();
	free(heap);
	free(large);
	return 0;
}
