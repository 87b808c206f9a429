/*
 * many_threads.c - many threads at once, or one after another.
 * usage: many_threads LIVE|SHORT THREADS
 * LIVE: all exist at the same time and each allocates 10 blocks; SHORT: one after
 * another. Each block of 48 bytes is freed by the thread that made it. Prints the most
 * memory that was resident.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static pthread_barrier_t barrier;
static int live;

static void *work(void *arg)
{
	void *blocks[10];

	(void)arg;
	for (int i = 0; i < 10; i++)
		blocks[i] = malloc(48);
	if (live)
		pthread_barrier_wait(&barrier);
	for (int i = 0; i < 10; i++)
		free(blocks[i]);
	return NULL;
}

int main(int argc, char **argv)
{
	int threads;
	pthread_t *ids;
	pthread_attr_t attr;
	struct rusage usage;
	char text[64];
	int bytes;

	if (argc != 3 || (threads = atoi(argv[2])) < 1)
		return 2;
	live = strcmp(argv[1], "LIVE") == 0;
	ids = calloc((size_t)threads, sizeof(*ids));
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	pthread_barrier_init(&barrier, NULL, (unsigned)threads);
	for (int i = 0; i < threads; i++) {
		if (pthread_create(&ids[i], &attr, work, NULL)) {
			perror("pthread_create");
			return 1;
		}
		if (!live)
			pthread_join(ids[i], NULL);
	}
	for (int i = 0; live && i < threads; i++)
		pthread_join(ids[i], NULL);
	free(ids);
	getrusage(RUSAGE_SELF, &usage);
	/* not by dprintf: glibc allocates a buffer where it asks for the place in a file */
	bytes = snprintf(text, sizeof(text), "peak %ld KiB\n", usage.ru_maxrss);
	return write(1, text, (size_t)bytes) != bytes;
}
