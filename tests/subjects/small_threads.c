/*
 * small_threads.c - threads with the smallest stack there can be, and with stacks that the
 * program gave them; each allocates a block of 900 bytes in small_leaf under small_body.
 * usage: small_threads THREADS
 */
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define NOINLINE __attribute__((noinline, noclone))
#define AFTER_CALL() __asm__ volatile("" ::: "memory")

NOINLINE static void small_leaf(int n)
{
	if (n)
		small_leaf(n - 1);
	else
		free(malloc(900));
	AFTER_CALL();
}

static void *small_body(void *unused)
{
	small_leaf(3);
	AFTER_CALL();
	return unused;
}

int main(int argc, char **argv)
{
	size_t bytes = (size_t)PTHREAD_STACK_MIN;
	int threads = argc > 1 ? atoi(argv[1]) : 1;
	void *given = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (int i = 0; i < threads; i++) {
		pthread_attr_t attr;
		pthread_t thread;
		int error;

		pthread_attr_init(&attr);
		error = i % 2 ? pthread_attr_setstacksize(&attr, bytes) :
				pthread_attr_setstack(&attr, given, bytes);
		if (!error)
			error = pthread_create(&thread, &attr, small_body, NULL);
		if (error) {
			fprintf(stderr, "%s\n", strerror(error));
			return 1;
		}
		pthread_join(thread, NULL);
		pthread_attr_destroy(&attr);
	}
	return 0;
}
