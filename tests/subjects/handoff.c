/*
 * handoff.c - blocks made by one thread and freed by another, through a small
 * lock-free queue, so that the same addresses travel to and fro as fast as they can.
 * usage: handoff SECONDS_TIMES_100
 * Prints "blocks N": the blocks handed over.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SLOTS 64

static void *_Atomic queue[2][SLOTS];
static atomic_int stop;
static atomic_long handed;

/* Each thread makes blocks for the other and frees what the other made. */
static void *work(void *arg)
{
	long me = (long)arg, made = 0;
	unsigned seed = (unsigned)me + 7;

	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		for (int i = 0; i < SLOTS; i++) {
			void *mine = malloc(24 + (seed = seed * 1103515245u + 12345u) % 200);
			void *old = atomic_exchange(&queue[me][i], mine);
			void *theirs = atomic_exchange(&queue[!me][i], NULL);

			free(old);
			free(theirs);
			made++;
		}
	}
	atomic_fetch_add(&handed, made);
	return NULL;
}

int main(int argc, char **argv)
{
	long hundredths = argc > 1 ? atol(argv[1]) : 100;
	struct timespec pause = { hundredths / 100, hundredths % 100 * 10000000L };
	pthread_t threads[2];

	for (long i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, work, (void *)i);
	nanosleep(&pause, NULL);
	atomic_store(&stop, 1);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 2; i++)
		for (int j = 0; j < SLOTS; j++)
			free(queue[i][j]);
	printf("blocks %ld\n", (long)handed);
	return 0;
}
