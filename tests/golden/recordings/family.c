/*
 * family.c - a parent with marks, a child by fork, a second thread with a name,
 * memory mapped by hand: what the golden cases read. Recorded by ./record.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allotrope.h"

__attribute__((noinline)) static void *make(size_t bytes)
{
	void *p = malloc(bytes);

	memset(p, 1, bytes);
	return p;
}

static void *work(void *arg)
{
	pthread_setname_np(pthread_self(), "worker");
	free(arg);
	return make(3000);
}

int main(void)
{
	void *blocks[100], *result, *aligned;
	pthread_t thread;

	for (int i = 0; i < 100; i++)
		blocks[i] = make(1000);
	allotrope_mark("filled");
	for (int i = 0; i < 50; i++)
		free(blocks[i]);
	allotrope_mark("halved");
	pthread_create(&thread, NULL, work, blocks[50]);
	pthread_join(thread, &result);
	if (fork() == 0) {
		for (int i = 0; i < 10; i++)
			make(64);
		free(blocks[60]);
		_exit(3);
	}
	wait(NULL);
	if (posix_memalign(&aligned, 64, 300) != 0)
		return 1;
	blocks[0] = realloc(blocks[99], 200000);
	blocks[1] = calloc(3, 7);
	result = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(result, 1, 1 << 20);
	free(aligned);
	free(NULL);
	return 7;
}
