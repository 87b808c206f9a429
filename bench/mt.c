/*
 * mt.c - threads that allocate and free, each for itself.
 * usage: mt THREADS COUNT
 * Each thread makes COUNT blocks of random sizes, 64 live at a time.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define LIVE 64

static long count;

static void *work(void *arg)
{
	uint32_t seed = (uint32_t)(uintptr_t)arg * 2654435761u + 1;
	void *live[LIVE] = { NULL };

	for (long i = 0; i < count; i++) {
		void **slot;

		seed = seed * 1664525u + 1013904223u;
		slot = &live[(seed >> 8) % LIVE];
		free(*slot);
		*slot = malloc(16 + (seed >> 14) % 1024);
	}
	for (int i = 0; i < LIVE; i++)
		free(live[i]);
	return NULL;
}

int main(int argc, char **argv)
{
	int threads;
	pthread_t *ids;

	if (argc != 3 || (threads = atoi(argv[1])) < 1) {
		fprintf(stderr, "usage: mt THREADS COUNT\n");
		return 2;
	}
	count = atol(argv[2]);
	ids = calloc((size_t)threads, sizeof(*ids));
	for (int i = 0; i < threads; i++)
		if (pthread_create(&ids[i], NULL, work, (void *)(uintptr_t)(i + 1)))
			return 1;
	for (int i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	free(ids);
	return 0;
}
