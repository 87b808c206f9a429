/*
 * four_threads.c - four threads, one after the other, each with blocks of its arena, a block
 * with a mapping of its own and a mapping of the program's: always the same system calls.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#define THREADS 4
#define BLOCKS 200
#define PAGE 4096

static void *work(void *argument)
{
	void *blocks[BLOCKS], *large;
	char *own;

	for (int i = 0; i < BLOCKS; i++)
		blocks[i] = malloc(100 + (size_t)i * 40);
	large = malloc(300000);
	own = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (own != MAP_FAILED) {
		mprotect(own, PAGE, PROT_NONE);
		madvise(own + PAGE, PAGE, MADV_DONTNEED);
		munmap(own, 2 * PAGE);
	}
	free(large);
	for (int i = 0; i < BLOCKS; i++)
		free(blocks[i]);
	return argument;
}

int main(void)
{
	for (int i = 0; i < THREADS; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, work, NULL) || pthread_join(thread, NULL))
			return 1;
	}
	return 0;
}
