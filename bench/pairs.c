/*
 * pairs.c - a program that allocates and frees at one depth.
 * usage: pairs DEPTH COUNT
 * COUNT blocks of random sizes (16..1039 bytes), up to 64 live at a time, each
 * freed later: 2 * COUNT heap calls from one call stack of DEPTH frames.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define LIVE 64

static uint32_t seed = 12345;

static uint32_t next_random(void)
{
	seed = seed * 1664525u + 1013904223u;
	return seed >> 8;
}

static void work(long count)
{
	void *live[LIVE] = { NULL };

	for (long i = 0; i < count; i++) {
		uint32_t random = next_random();
		void **slot = &live[random % LIVE];

		if (*slot)
			free(*slot);
		*slot = malloc(16 + (random >> 6) % 1024);
	}
	for (int i = 0; i < LIVE; i++)
		free(live[i]);
}

__attribute__((noinline)) static void descend(int depth, long count)
{
	if (depth > 0)
		descend(depth - 1, count);
	else
		work(count);
	__asm__ volatile("" ::: "memory"); /* no tail call */
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: pairs DEPTH COUNT\n");
		return 2;
	}
	descend(atoi(argv[1]), atol(argv[2]));
	return 0;
}
