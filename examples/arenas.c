/*
 * arenas.c - where do the blocks of threads come from? Four threads, each with a hundred
 * blocks of 10,000 bytes, all alive at once; the first thread has a hundred more.
 *
 * Look for (allotrope maps --at=mark:full): the first thread's blocks are in the heap that
 * the break bounds; each of the others has an arena of its own, a mapping of 64 MiB of
 * address space of which as much is made accessible as is used (allotrope strace: mmap of
 * 128 MiB to find an aligned half, munmap of the rest unless another arena takes it,
 * mprotect as it grows).
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "allotrope.h"

#define THREADS 4
#define BLOCKS 100
#define BYTES 10000
#define ARENA_BYTES ((uintptr_t)64 << 20)

static pthread_barrier_t all_full, look;
static void *blocks[THREADS + 1][BLOCKS];

static void fill(void **mine)
{
	for (int i = 0; i < BLOCKS; i++) {
		mine[i] = malloc(BYTES);
		if (!mine[i]) {
			perror("malloc");
			exit(1);
		}
	}
}

static void empty(void **mine)
{
	for (int i = 0; i < BLOCKS; i++)
		free(mine[i]);
}

static void *work(void *mine)
{
	fill(mine);
	pthread_barrier_wait(&all_full);
	pthread_barrier_wait(&look);
	empty(mine);
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];

	pthread_barrier_init(&all_full, NULL, THREADS + 1);
	pthread_barrier_init(&look, NULL, THREADS + 1);
	fill(blocks[THREADS]);
	for (int i = 0; i < THREADS; i++) {
		if (pthread_create(&threads[i], NULL, work, blocks[i])) {
			fputs("arenas: no thread\n", stderr);
			return 1;
		}
	}
	pthread_barrier_wait(&all_full);
	allotrope_mark("full");
	pthread_barrier_wait(&look);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	empty(blocks[THREADS]);
	allotrope_mark("empty");
	/* glibc aligns an arena to 64 MiB: the arena of a block is in its address */
	for (int i = 0; i < THREADS; i++)
		printf("thread %d: its arena begins at %#jx\n", i + 1,
		       (uintmax_t)((uintptr_t)blocks[i][0] / ARENA_BYTES * ARENA_BYTES));
	return 0;
}
