/*
 * key_destructors.c - threads whose key destructors allocate and free in every
 * round that POSIX allows, after other destructors have run.
 * usage: key_destructors THREADS
 * Prints "malloc N" and "free N": its own calls from the threads.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_key_t keys[3];
static atomic_long mallocs, frees;

static void *make(size_t bytes)
{
	atomic_fetch_add(&mallocs, 1);
	return malloc(bytes);
}

static void drop(void *p)
{
	atomic_fetch_add(&frees, 1);
	free(p);
}

/* Frees its block and leaves a new one, so that it is called again until libc gives up. */
static void destroy(void *p)
{
	static __thread int rounds;

	drop(p);
	if (++rounds < 12)
		pthread_setspecific(keys[rounds % 3], make(300));
}

static void *work(void *arg)
{
	for (int i = 0; i < 3; i++)
		pthread_setspecific(keys[i], make(200));
	return arg;
}

int main(int argc, char **argv)
{
	int threads = argc > 1 ? atoi(argv[1]) : 1;

	for (int i = 0; i < 3; i++)
		pthread_key_create(&keys[i], destroy);
	for (int i = 0; i < threads; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, work, NULL))
			return 1;
		pthread_join(thread, NULL);
	}
	printf("malloc %ld\nfree %ld\n", (long)mallocs, (long)frees);
	return 0;
}
